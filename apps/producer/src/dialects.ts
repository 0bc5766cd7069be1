/** How errors are told to the clients of each API: the path of a request says which one it speaks. */

import type { EmbedmillError } from '@embedmill/contract';
import type { Response } from 'express';
import { sendProblem } from './http/problem.ts';
import { sendOllamaError } from './ollama/errors.ts';
import { sendOpenAiError } from './openai/errors.ts';
import { sendTeiError } from './tei/errors.ts';

/** Answers with an error in the shape of one API. */
export type Dialect = (res: Response, error: EmbedmillError) => void;

/** The first that fits; the rest is native. */
const DIALECTS: readonly (readonly [paths: RegExp, dialect: Dialect])[] = [
  [/^\/v1\/(embeddings|models|files|batches)(\/|$)/i, sendOpenAiError],
  [/^\/api\//i, sendOllamaError],
  [/^\/(embed|invocations|info|health|similarity|tokenize)?\/?$/i, sendTeiError],
];

/** The dialect of a path. */
export function dialectOf(path: string): Dialect {
  return DIALECTS.find(([paths]) => paths.test(path))?.[1] ?? sendProblem;
}
