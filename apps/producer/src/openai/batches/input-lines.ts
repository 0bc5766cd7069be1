/** Reads the lines of a batch input file: the same lines for validation, embedding and output. */

import { createReadStream } from 'node:fs';
import { quote } from '@embedmill/contract';
import { readTextLines } from '@embedmill/core/formats';
import type { Config } from '@embedmill/core/process';
import * as z from 'zod';
import { MAX_INPUTS, textsOf } from '../../compatible/inputs.ts';
import { isServedModel, type ModelSetting } from '../../compatible/models.ts';
import { type OpenAiEmbeddings, parseOpenAiEmbeddings } from '../embeddings.ts';
import { invalidInput, OpenAiError } from '../errors.ts';
import type { BatchFault } from './types.ts';

/** Maximum bytes per line, as for the body of a synchronous call. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const MAX_ID_CHARS = 512;

/** A line that is a request. Line numbers start at 1. */
export interface RequestLine {
  kind: 'request';
  line: number;
  customId: string;
  model: string;
  body: OpenAiEmbeddings;
  /** The texts of its input; empty if it is rejected. */
  texts: readonly string[];
  /** Why this request is rejected. It goes to the error file and does not affect other lines. */
  rejection: OpenAiError | null;
}

/** A line that makes the whole file unusable. */
export interface FaultyLine {
  kind: 'fault';
  fault: BatchFault;
}

/** One line of the input file. */
export type InputLine = RequestLine | FaultyLine;

/** What the interpretation of lines depends on. */
export interface InputOptions {
  endpoint: string;
  config: ModelSetting & Pick<Config, 'maxRowBytes'>;
}

const envelope = z.object({
  custom_id: z.string().min(1).max(MAX_ID_CHARS),
  method: z.literal('POST'),
  url: z.string(),
  body: z.looseObject({ model: z.string() }),
});

/**
 * The lines of a file in order, one array per 64 KiB.
 * @param onChunk receives the raw chunks of the file
 */
export async function* readInputLines(
  path: string,
  options: InputOptions,
  onChunk: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<InputLine[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path)) {
      onChunk(chunk);
      yield chunk;
    }
  }
  for await (const lines of readTextLines(bytes(), MAX_LINE_BYTES)) {
    yield lines.map((read): InputLine => {
      if ('text' in read) return parseLine(read.line, read.text, options);
      return read.fault === 'too-long'
        ? faulty(read.line, 'line_too_long', `This line is longer than ${MAX_LINE_BYTES} bytes.`)
        : faulty(read.line, 'invalid_json_line', 'This line is not UTF-8.');
    });
  }
}

function parseLine(line: number, text: string, { endpoint, config }: InputOptions): InputLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return faulty(line, 'invalid_json_line', 'This line is not parseable as valid JSON.');
  }
  const parsed = envelope.safeParse(value);
  if (!parsed.success) return faultOfEnvelope(line, value, parsed.error.issues[0]!);
  const { custom_id: customId, url, body } = parsed.data;
  if (url !== endpoint) {
    const message = `The URL ${quote(url)} of this line does not match the endpoint ${quote(endpoint)} of the batch.`;
    return faulty(line, 'url_mismatch', message, 'url');
  }
  if (!isServedModel(body.model, config)) {
    return faulty(line, 'model_not_found', `Unknown model ${quote(body.model)}.`, 'body.model');
  }
  try {
    const request = parseOpenAiEmbeddings(body, config);
    const texts = textsOfBody(request, config);
    return { kind: 'request', line, customId, model: body.model, body: request, texts, rejection: null };
  } catch (error) {
    if (!(error instanceof OpenAiError)) throw error;
    const request = { model: body.model, input: [], encoding_format: 'float', truncate: 'end' } as const;
    return {
      kind: 'request',
      line,
      customId,
      model: body.model,
      body: { ...request, input: [] },
      texts: [],
      rejection: error,
    };
  }
}

/** @throws {OpenAiError} for what a synchronous call accepts and a run does not */
function textsOfBody(
  { input, truncate, input_type: inputType = 'none' }: OpenAiEmbeddings,
  { maxRowBytes }: Pick<Config, 'maxRowBytes'>,
): string[] {
  const texts = textsOf(input);
  if (texts.length > MAX_INPUTS) throw invalidInput(`array length must be ${MAX_INPUTS} or less`);
  if (truncate === 'start')
    throw new OpenAiError(
      "Invalid value for 'truncate' = start. A batch truncates the end of over-long texts.",
      {
        param: 'truncate',
      },
    );
  if (inputType !== 'none') {
    throw new OpenAiError(
      `Invalid value for 'input_type' = ${inputType}. The texts of a batch get no prompt; use POST /v1/runs.`,
      { param: 'input_type' },
    );
  }
  return texts.map((text) => {
    if (typeof text !== 'string') throw invalidInput('a batch takes texts, not token ids');
    if (Buffer.byteLength(text) > maxRowBytes)
      throw invalidInput(`a text must have at most ${maxRowBytes} bytes`);
    return text;
  });
}

function faultOfEnvelope(line: number, value: unknown, issue: z.core.$ZodIssue): FaultyLine {
  const param = issue.path.map(String).join('.');
  if (param === '')
    return faulty(line, 'invalid_json_line', `This line is ${quote(value)}; expected an object.`);
  const given = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], value);
  if (given === undefined)
    return faulty(line, 'missing_required_parameter', `Missing required parameter: '${param}'.`, param);
  if (param === 'method')
    return faulty(
      line,
      'invalid_method',
      `The method of this line is ${quote(given)}; expected "POST".`,
      param,
    );
  return faulty(
    line,
    'invalid_value',
    `Invalid value for '${param}' = ${quote(given)}: ${issue.message}`,
    param,
  );
}

function faulty(line: number, code: string, message: string, param: string | null = null): FaultyLine {
  return { kind: 'fault', fault: { code, message, param, line } };
}
