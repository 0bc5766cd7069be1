/** The API keys that are let in now, from the settings and from a file that may change; the producer opens one. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { asError, ConfigError, quote } from '@embedmill/contract';
import { type ApiKey, type Config, readKeyList } from '@embedmill/core/process';
import type { Logger } from 'pino';

/** Where keys come from. */
export interface KeyRingDeps {
  config: Pick<Config, 'apiKeys' | 'apiKeysFile'>;
  log: Logger;
  /** Time between two looks at the file. Default 2 s. */
  pollMs?: number;
}

const POLL_MS = 2000;

/** Reads the file again when it changed; a file that cannot be used changes nothing, so that nobody is locked out by a slip. */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  #fromFile: readonly ApiKey[] = [];

  private constructor(parts: KeyRingDeps) {
    this.#deps = parts;
  }

  /**
   * Reads the keys and begins to watch the file; undefined when no keys are asked for.
   * @throws {ConfigError} when the file cannot be used
   */
  static open(parts: KeyRingDeps): KeyRing | undefined {
    const { apiKeys, apiKeysFile } = parts.config;
    if (apiKeys === undefined && apiKeysFile === undefined) return undefined;
    const ring = new KeyRing(parts);
    if (apiKeysFile !== undefined) {
      ring.#fromFile = readKeys(apiKeysFile);
      // Looks at the file instead of waiting for events: Kubernetes swaps a link above it, of which the file itself tells nothing.
      const options = { persistent: false, interval: parts.pollMs ?? POLL_MS };
      watchFile(apiKeysFile, options, ring.#readAgain);
    }
    return ring;
  }

  /** The key with this secret. Takes equally long whether, and for which key, it fits. */
  find(secret: string): ApiKey | undefined {
    const sha256 = createHash('sha256').update(secret).digest();
    let found: ApiKey | undefined;
    for (const key of [...(this.#deps.config.apiKeys ?? []), ...this.#fromFile]) {
      if (timingSafeEqual(key.sha256, sha256)) found = key;
    }
    return found;
  }

  /** Stops watching. */
  close(): void {
    const { apiKeysFile } = this.#deps.config;
    if (apiKeysFile !== undefined) unwatchFile(apiKeysFile, this.#readAgain);
  }

  readonly #readAgain = (): void => {
    const { config, log } = this.#deps;
    try {
      this.#fromFile = readKeys(config.apiKeysFile!);
      log.info({ names: this.#fromFile.map(({ name }) => name) }, 'the file of API keys was read again');
    } catch (error) {
      log.error({ reason: asError(error).message }, 'the keys stay as they were');
    }
  };
}

function readKeys(path: string): ApiKey[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `EMBEDMILL_API_KEYS_FILE: ${quote(path, 200)} cannot be read: ${asError(error).message}`,
    ]);
  }
  const read = readKeyList(text);
  if (read.ok) return read.keys;
  throw new ConfigError([`EMBEDMILL_API_KEYS_FILE: ${quote(path, 200)}: ${read.problem}`]);
}
