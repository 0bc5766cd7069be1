/** Treatment: how a text is prepared and embedded; options of runs and of interactive calls. */

/** Arithmetic of the linear layers: `fp32` is the reference, `int8` is faster. */
export type Precision = 'int8' | 'fp32';

/**
 * Engines to choose from: `exact` has the same bytes on every CPU and computes int8 only; `onnx` is ONNX
 * Runtime; `auto` is `exact` where it is at least as fast, else `onnx`.
 */
export const ENGINE_CHOICES = ['auto', 'exact', 'onnx'] as const;

/** One of `ENGINE_CHOICES`. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** What happens to tokens over the model's limit: drop the end, drop the start, or fail the row. */
export type Truncate = 'end' | 'start' | 'error';

/** Cleaning steps in the order in which they are applied; docs/treatment.md describes each. */
export const CLEAN_STEPS = [
  'html',
  'nfkc',
  'line-breaks',
  'invisible',
  'control',
  'spaces',
  'white-space',
  'final-punctuation',
] as const;

/** The name of a cleaning step. */
export type CleanStep = (typeof CLEAN_STEPS)[number];

/**
 * How texts over the token limit are embedded: `truncate` cuts them; `mean` embeds them in chunks and
 * averages the chunk vectors weighted by tokens; `plain-mean` averages them unweighted; `max-chunks=N` is
 * `mean` of at most N chunks (the first ones; the last ones with `truncate: 'start'`) and drops the rest.
 */
export type LongTexts = 'truncate' | 'mean' | 'plain-mean' | `max-chunks=${number}`;

/** Every spelling of `LongTexts`; at most 9,999 chunks. */
export const LONG_TEXTS = /^(truncate|mean|plain-mean|max-chunks=[1-9]\d{0,3})$/;

/** Maximum number of chunks per text; 1 when texts are truncated. */
export function maxChunks(long: LongTexts): number {
  if (long === 'truncate') return 1;
  if (long === 'mean' || long === 'plain-mean') return Number.POSITIVE_INFINITY;
  return Number(long.slice('max-chunks='.length));
}

/** Maximum length of a prompt in UTF-16 units. */
export const MAX_PROMPT_CHARS = 500;

/** What texts are used for; a model may have a prompt for each. `none`: texts get no prompt of the model. */
export const INPUT_TYPES = ['document', 'query', 'none'] as const;

/** One of `INPUT_TYPES`. */
export type InputType = (typeof INPUT_TYPES)[number];

/** The prompts that a model was trained with; empty for none. */
export interface ModelPrompts {
  query: string;
  document: string;
}

/**
 * What is done to every text of a run or call. Plain data. A glossary is named by its id; the engine takes
 * `Treatment<StoredGlossary>`, which holds the content.
 */
export interface Treatment<Glossary = string> {
  /** In the order of `CLEAN_STEPS`, each at most once. */
  clean: readonly CleanStep[];
  long: LongTexts;
  /**
   * Text put before every text (and before every chunk of a long one), such as `query: `; empty for the prompt
   * that the model has for `inputType`.
   */
  prompt: string;
  /** Default `document`. */
  inputType?: InputType | undefined;
  /** The glossary applied to the cleaned text; `null` for none. */
  glossary: Glossary | null;
}

/** Texts as they are: the default. */
export const UNTREATED: Treatment<never> = { clean: [], long: 'truncate', prompt: '', glossary: null };

/** Picks the treatment out of other options and puts its cleaning steps in order. */
export function treatmentOf({ clean, long, prompt, glossary, inputType }: Treatment): Treatment {
  const steps = CLEAN_STEPS.filter((step) => clean.includes(step));
  // Records and jobs from before input types have none; those of the default look the same.
  const type = inputType === undefined || inputType === 'document' || prompt !== '' ? {} : { inputType };
  return { clean: steps, long, prompt, glossary, ...type };
}

/** The text put before every text: the prompt of the treatment, or that of the model. */
export function promptOf(
  { prompt, inputType = 'document' }: Pick<Treatment, 'prompt' | 'inputType'>,
  prompts: ModelPrompts,
): string {
  if (prompt !== '' || inputType === 'none') return prompt;
  return prompts[inputType];
}

/**
 * A term, its replacement, and whether the case must match exactly; without a rule, acronyms must match
 * exactly. With a language (a BCP 47 tag), the term applies only to texts mostly in the script of that language.
 */
export type GlossaryTerm =
  | readonly [term: string, wording: string]
  | readonly [term: string, wording: string, rule: 'exact' | 'any']
  | readonly [term: string, wording: string, rule: 'exact' | 'any' | null, language: string];

/** Maximum number of terms per glossary: the size that was measured (docs/treatment.md). */
export const MAX_GLOSSARY_TERMS = 50_000;

/** Maximum length of a term or of its wording in UTF-16 units. */
export const MAX_TERM_CHARS = 200;

/** A glossary with its content, as it is stored and sent to workers. */
export interface StoredGlossary {
  /** 32 hexadecimal characters, a hash of the content: equal ids have equal contents. */
  id: string;
  /** JSON of `GlossaryTerm[]`, in UTF-8. */
  content: Uint8Array;
}
