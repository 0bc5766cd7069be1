/** Options that say how texts are treated, and how their values are read. */

import {
  CLEAN_STEPS,
  type CleanStep,
  LONG_TEXTS,
  type LongTexts,
  MAX_PROMPT_CHARS,
} from '@embedmill/contract';
import { InvalidArgumentError, Option } from 'commander';

/** Steps of cleaning, as a list with commas; they come back in the order of their work. */
export const cleanOption = () =>
  new Option('--clean <steps>', `clean each text: all, or some of ${CLEAN_STEPS.join(', ')}, with commas`)
    .default([], 'none')
    .argParser((given: string): CleanStep[] => {
      const names = given === 'all' ? [...CLEAN_STEPS] : given.split(',').map((name) => name.trim());
      const unknown = names.find((name) => !CLEAN_STEPS.includes(name as CleanStep));
      if (unknown !== undefined) {
        throw new InvalidArgumentError(
          `There is no step "${unknown}"; expected all or some of ${CLEAN_STEPS.join(', ')}.`,
        );
      }
      return CLEAN_STEPS.filter((step) => names.includes(step));
    });

/** What becomes of texts beyond the limit. */
export const longOption = () =>
  new Option(
    '--long <how>',
    'texts beyond the limit of the model: truncate; mean of their chunks by their tokens; plain-mean; max-chunks=N, the mean of N',
  )
    .default('truncate')
    .argParser((given: string): LongTexts => {
      if (LONG_TEXTS.test(given)) return given as LongTexts;
      throw new InvalidArgumentError(
        'Expected truncate, mean, plain-mean or max-chunks=N, with N from 1 to 9999.',
      );
    });

/** For models that were trained with one. */
export const promptOption = () =>
  new Option('--prompt <text>', 'put before each text, for models that want one, such as "query: "')
    .default('', 'none')
    .argParser((given: string): string => {
      if (given.length <= MAX_PROMPT_CHARS) return given;
      throw new InvalidArgumentError(`Expected at most ${MAX_PROMPT_CHARS} characters.`);
    });

/** All of them, for commands that embed texts of their own beside vectors that were treated so. */
export const treatmentOptions = () => [
  cleanOption(),
  longOption(),
  promptOption(),
  new Option('--glossary <file>', 'plain wording for terms: .json, or .csv with term, wording and case'),
];
