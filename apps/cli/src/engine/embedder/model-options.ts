/** Reads `--model` and `--server`, which decide where texts are embedded and by which model. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN_DIM, type Precision, quote, STATIC_MODEL } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { modelFolder } from '@embedmill/embed/added-models';
import { UsageError } from '../../shell/exit-codes.ts';

/** The options as commander passes them. */
export interface ModelFlags {
  model?: string;
  server?: string;
}

/** Splits the precision from a model given as `NAME@int8` or `NAME@fp32`. */
export function splitPrecision(given: string): { model: string; precision: Precision | undefined } {
  const [, model = given, precision] = /^(.+)@(int8|fp32)$/.exec(given) ?? [];
  return { model, precision: precision as Precision | undefined };
}

/**
 * The model to use: a folder on this machine, or with `--server` the name by which its workers know the
 * model; `null` for the default model.
 * @throws {UsageError} when no such model exists on this machine
 */
export function readModel(
  { model: named, server }: ModelFlags,
  config: Pick<Config, 'model' | 'cacheDir'>,
): string | null {
  if (server !== undefined) return named ?? null;
  const model = named ?? config.model;
  if (model === undefined) return null;
  if (model === STATIC_MODEL) return model;
  const folder = modelFolder(model, config.cacheDir);
  if (folder === undefined) return null;
  if (existsSync(folder)) return folder;
  throw new UsageError(
    `there is no model folder ${quote(model, 200)}, and no installed model of that name (embedmill model list; ` +
      'embedmill model catalogue)',
  );
}

/** Numbers per vector of a model on this machine, as `readModel` returns it; `null` if its folder does not say. */
export function dimOfModel(folder: string | null): number | null {
  if (folder === null) return BUILT_IN_DIM;
  try {
    const { hidden_size: dim } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    return typeof dim === 'number' ? dim : null;
  } catch {
    // An invalid folder is reported when it is opened.
    return null;
  }
}

/**
 * The base URL of a producer, without a trailing slash; `null` if not given.
 * @throws {UsageError} unless it is a URL
 */
export function readServer(server: string | undefined): string | null {
  if (server === undefined) return null;
  const isUrl = URL.canParse(server) && ['http:', 'https:'].includes(new URL(server).protocol);
  if (!isUrl)
    throw new UsageError(
      `--server ${quote(server, 200)} is not an http or https URL; expected one such as http://127.0.0.1:8080`,
    );
  return server.replace(/\/+$/, '');
}

/**
 * The base URLs of one producer or several, with commas and without trailing slashes; `null` if not given.
 * @throws {UsageError} unless each is a URL and no two are the same
 */
export function readServers(servers: string | undefined): string | null {
  if (servers === undefined) return null;
  const urls = servers.split(',').map((server) => readServer(server.trim()) ?? '');
  const same = urls.find((url, n) => urls.some((other, m) => m < n && isSameUrl(url, other)));
  if (same === undefined) return urls.join(',');
  throw new UsageError(`--server names ${quote(same, 200)} twice; expected different producers`);
}

function isSameUrl(url: string, other: string): boolean {
  return new URL(url).href === new URL(other).href;
}
