/**
 * Wraps one ONNX Runtime session: maps token ids to the inputs of a model and runs one text; the embedder
 * owns one.
 */

import { floatsOfHalves } from '@embedmill/contract';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { TOKEN_OUTPUTS } from '../compile/weights/onnx-weights.ts';
import { EmbedError } from '../errors.ts';
import { loadOnnxRuntime } from './onnx-runtime.ts';

const runtime = await loadOnnxRuntime();

/** Supported inputs of a model, and their value per token. */
const FEEDS: Record<string, 'ids' | 'ones' | 'zeros' | 'positions'> = {
  input_ids: 'ids',
  attention_mask: 'ones',
  token_type_ids: 'zeros',
  position_ids: 'positions',
};

/** Names that converters use for outputs with one vector per text. */
const SENTENCE_OUTPUTS = ['sentence_embedding'];

/** The output of a model, as its file declares it. */
export interface ModelShape {
  /** Floats per vector. */
  dim: number;
  /** Whether the output holds one vector per text or one per token. */
  vectorOutput: 'sentence' | 'tokens';
}

type Integers = Int32Array | BigInt64Array;

interface Feed {
  name: string;
  type: 'int32' | 'int64';
  /** `maxTokens` values that do not depend on the text; undefined for the token ids. */
  constants: Integers | undefined;
}

/** Options of `ModelSession.open`. */
export interface SessionOptions {
  /** Maximum token ids per run. */
  maxTokens: number;
  /** How far ONNX Runtime may rewrite the graph. */
  optimization: 'basic' | 'all';
  /** Position of the first token, for the input `position_ids`. Default 0. */
  firstPosition?: number | undefined;
}

/**
 * Opens a model, runs it once and returns its shape.
 * @throws {EmbedError} `MODEL_INVALID` or `MODEL_UNSUPPORTED`
 */
export async function inspectModel(modelPath: string): Promise<ModelShape> {
  const session = await ModelSession.open(modelPath, { maxTokens: 8, optimization: 'basic' });
  try {
    // Run once, because a declared size may be symbolic and some operators fail only when they run.
    const output = await session.run([0, 0]);
    return { dim: output.dims.at(-1)!, vectorOutput: session.vectorOutput };
  } finally {
    await session.close();
  }
}

/**
 * An open session. `run` blocks its thread although it returns a promise, because onnxruntime-node computes
 * synchronously. A session uses one thread; for parallelism every inference thread has its own session.
 */
export class ModelSession {
  readonly vectorOutput: ModelShape['vectorOutput'];
  readonly #session: InferenceSession;
  readonly #feeds: Feed[];
  readonly #outputName: string;

  private constructor(
    session: InferenceSession,
    feeds: Feed[],
    output: { name: string; kind: ModelShape['vectorOutput'] },
  ) {
    this.#session = session;
    this.#feeds = feeds;
    this.#outputName = output.name;
    this.vectorOutput = output.kind;
  }

  /**
   * Opens an ONNX file.
   * @throws {EmbedError} `MODEL_INVALID` or `MODEL_UNSUPPORTED`, with the operator or input in the message
   */
  static async open(modelPath: string, options: SessionOptions): Promise<ModelSession> {
    const session = await runtime.InferenceSession.create(modelPath, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      // The arena never shrinks below the longest text, and is not faster
      // (docs/decisions/0010-own-graph-one-text-per-run.md).
      enableCpuMemArena: false,
      graphOptimizationLevel: options.optimization,
      logSeverityLevel: 3,
    }).catch((cause: unknown) => {
      throw openError(modelPath, cause);
    });
    try {
      const feeds = session.inputMetadata.map((input) => feedFor(modelPath, input, options));
      return new ModelSession(session, feeds, pickOutput(modelPath, session));
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /** Runs one text. Returns 1 × dim or 1 × tokens × dim floats. */
  async run(ids: readonly number[]): Promise<{ values: Float32Array; dims: readonly number[] }> {
    const tensors: Record<string, Tensor> = {};
    for (const { name, type, constants } of this.#feeds) {
      // A new array for the ids: the session reads it later, when the next text may already be prepared.
      const values = constants ? constants.subarray(0, ids.length) : integers(type, ids);
      tensors[name] = new runtime.Tensor(type, values, [1, ids.length]);
    }
    const output = (await this.#session.run(tensors, [this.#outputName]))[this.#outputName]!;
    return { values: floatsOf(output), dims: output.dims };
  }

  /** Frees the memory of the session. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}

/**
 * Returns the values of an output as float32; half-precision values come as their bits where JavaScript has no
 * type for them.
 */
function floatsOf({ type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Uint16Array && type === 'float16') return floatsOfHalves(data);
  if (type === 'float16' || type === 'float64') return Float32Array.from(data as Float64Array);
  throw new EmbedError('MODEL_UNSUPPORTED', `the output is ${type}, expected float32, float16 or float64`);
}

function integers(type: Feed['type'], values: readonly number[]): Integers {
  return type === 'int32' ? Int32Array.from(values) : BigInt64Array.from(values, BigInt);
}

function feedFor(
  modelPath: string,
  input: InferenceSession.ValueMetadata,
  { maxTokens, firstPosition = 0 }: SessionOptions,
): Feed {
  const unsupported = (why: string) =>
    new EmbedError('MODEL_UNSUPPORTED', `input "${input.name}" of "${modelPath}" ${why}`);
  const meaning = FEEDS[input.name];
  if (!meaning) throw unsupported(`is unknown, expected ${Object.keys(FEEDS).join(', ')}`);
  if (!input.isTensor || (input.type !== 'int64' && input.type !== 'int32')) {
    throw unsupported(`is ${input.isTensor ? input.type : 'not a tensor'}, expected int64 or int32`);
  }
  const constants = Array.from({ length: maxTokens }, (_, position) =>
    meaning === 'ones' ? 1 : meaning === 'positions' ? firstPosition + position : 0,
  );
  return {
    name: input.name,
    type: input.type,
    constants: meaning === 'ids' ? undefined : integers(input.type, constants),
  };
}

function pickOutput(
  modelPath: string,
  session: InferenceSession,
): { name: string; kind: ModelShape['vectorOutput'] } {
  const find = (names: string[]) => names.find((name) => session.outputNames.includes(name));
  const sentence = find(SENTENCE_OUTPUTS);
  if (sentence) return { name: sentence, kind: 'sentence' };
  const tokens = find(TOKEN_OUTPUTS);
  if (tokens) return { name: tokens, kind: 'tokens' };
  throw new EmbedError(
    'MODEL_UNSUPPORTED',
    `"${modelPath}" has the outputs ${session.outputNames.join(', ')}, expected one of ${[...SENTENCE_OUTPUTS, ...TOKEN_OUTPUTS].join(', ')}`,
  );
}

/** Adds the path to an error of ONNX Runtime, and tells an unsupported operator from an invalid file. */
function openError(modelPath: string, cause: unknown): EmbedError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const isOperator = /not a registered function\/op|NOT_IMPLEMENTED|Could not find an implementation/i.test(
    message,
  );
  return new EmbedError(
    isOperator ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID',
    `ONNX Runtime cannot ${isOperator ? 'run' : 'load'} "${modelPath}": ${message}`,
    { cause },
  );
}
