/** Options for the treatment of texts, and the parsers of their values. */

import {
  CLEAN_STEPS,
  type CleanStep,
  LONG_TEXTS,
  type LongTexts,
  MAX_PROMPT_CHARS,
} from '@embedmill/contract';
import { InvalidArgumentError, Option } from 'commander';

/** Cleaning steps, parsed into the order in which they run. */
export const cleanOption = () =>
  new Option('--clean <steps>', `clean texts: all, or a comma-separated list of ${CLEAN_STEPS.join(', ')}`)
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

/** How to embed texts over the token limit. */
export const longOption = () =>
  new Option(
    '--long <how>',
    'how to embed texts over the token limit: truncate, mean (chunks weighted by tokens), plain-mean (unweighted), ' +
      'max-chunks=N',
  )
    .default('truncate')
    .argParser((given: string): LongTexts => {
      if (LONG_TEXTS.test(given)) return given as LongTexts;
      throw new InvalidArgumentError(
        'Expected truncate, mean, plain-mean or max-chunks=N, with N from 1 to 9999.',
      );
    });

/** A prefix of each text. */
export const promptOption = () =>
  new Option(
    '--prompt <text>',
    'prefix of each text, such as "query: " (default: that of the model; "" for none)',
  ).argParser((given: string): string => {
    if (given.length <= MAX_PROMPT_CHARS) return given;
    throw new InvalidArgumentError(`Expected at most ${MAX_PROMPT_CHARS} characters.`);
  });

/** A file of terms to replace. */
export const glossaryOption = () =>
  new Option('--glossary <file>', 'terms to replace: .json, or .csv with term, wording, case, language');

/** All treatment options, for commands that embed texts to compare them with treated ones. */
export const treatmentOptions = () => [cleanOption(), longOption(), promptOption(), glossaryOption()];
