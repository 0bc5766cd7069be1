/** Defaults and limits that more than one part of Embedmill uses. */

/** Name of the built-in model. */
export const BUILT_IN_MODEL = 'all-MiniLM-L6-v2';

/** Its repository on the hub. */
export const BUILT_IN_REPOSITORY = `sentence-transformers/${BUILT_IN_MODEL}`;

/** Name of the static model that is made from the weights of the built-in model. */
export const STATIC_MODEL = 'static';

/** Floats per vector of the built-in model; assumed for a run until its first result is there. */
export const BUILT_IN_DIM = 384;

/** Maximum tokens per text of the built-in model, [CLS] and [SEP] included (its `max_seq_length`). */
export const BUILT_IN_MAX_TOKENS = 256;

/**
 * Rows per batch while no worker has reported its rate. Not a power of two: 252 vectors fit a jemalloc size class
 * of Redis, 256 do not.
 */
export const DEFAULT_BATCH_ROWS = 252;

/** Maximum estimated tokens per batch while no worker has reported its rate. */
export const DEFAULT_BATCH_TOKENS = 8192;

/**
 * Default rows per uploaded part: whole batches of 252, 504, 1,008 or 2,016 rows, so that no part ends with a small
 * batch.
 */
export const DEFAULT_PART_ROWS = 8 * DEFAULT_BATCH_ROWS;

/**
 * Parts that a client sends at a time. While the producer writes one to disk and to Redis, others arrive; more than
 * four do not make it faster, and each takes memory on both sides.
 */
export const UPLOADS_AT_A_TIME = 4;
