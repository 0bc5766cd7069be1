/** The valid API keys, from the settings and from a file that may change; see docs/decisions/0070. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { asError, ConfigError, quote } from '@embedmill/contract';
import { type ApiKey, type Config, ROLES, readKeyList } from '@embedmill/core/process';
import type { Logger } from 'pino';

/** Sources of keys. */
export interface KeyRingDeps {
  config: Pick<Config, 'apiKeys' | 'apiKeysFile'>;
  log: Logger;
  /** Time between two checks of the file. Default: 2 s. */
  pollMs?: number;
}

const DEFAULT_POLL_MS = 2000;

/** Reloads the file when it changes; after an invalid change, the previous keys stay valid. */
export class KeyRing {
  readonly #deps: KeyRingDeps;
  #fromFile: readonly ApiKey[] = [];
  /** Called when the keys have changed. */
  readonly #listeners = new Set<() => void>();

  private constructor(deps: KeyRingDeps) {
    this.#deps = deps;
  }

  /**
   * Reads the keys and starts to watch the file. Returns `undefined` if neither keys nor a file are
   * configured.
   * @throws {ConfigError} if the file is invalid
   */
  static open(deps: KeyRingDeps): KeyRing | undefined {
    const { apiKeys, apiKeysFile } = deps.config;
    if (apiKeys === undefined && apiKeysFile === undefined) return undefined;
    const ring = new KeyRing(deps);
    if (apiKeysFile !== undefined) {
      ring.#fromFile = readKeys(apiKeysFile);
      // Polls instead of waiting for events: Kubernetes swaps a link above the file, which gives no event for
      // the file itself.
      const options = { persistent: false, interval: deps.pollMs ?? DEFAULT_POLL_MS };
      watchFile(apiKeysFile, options, ring.#reload);
    }
    return ring;
  }

  /** Returns the key with this secret. The time taken does not depend on whether, or which, key matches. */
  find(secret: string): ApiKey | undefined {
    const sha256 = createHash('sha256').update(secret).digest();
    let found: ApiKey | undefined;
    for (const key of this.#all()) {
      if (timingSafeEqual(key.sha256, sha256)) found = key;
    }
    return found;
  }

  /** Whether a key that was valid before is still valid, with the same role or a higher one. */
  isValid({ sha256, role }: ApiKey): boolean {
    return this.#all().some(
      (key) => timingSafeEqual(key.sha256, sha256) && ROLES.indexOf(key.role) >= ROLES.indexOf(role),
    );
  }

  /** Calls the listener after each change of the keys; returns a function that stops this. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops watching. */
  close(): void {
    const { apiKeysFile } = this.#deps.config;
    if (apiKeysFile !== undefined) unwatchFile(apiKeysFile, this.#reload);
  }

  #all(): ApiKey[] {
    return [...(this.#deps.config.apiKeys ?? []), ...this.#fromFile];
  }

  readonly #reload = (): void => {
    const { config, log } = this.#deps;
    try {
      this.#fromFile = readKeys(config.apiKeysFile!);
      log.info({ names: this.#fromFile.map(({ name }) => name) }, 'API keys reloaded');
      for (const listener of [...this.#listeners]) listener();
    } catch (error) {
      log.error({ reason: asError(error).message }, 'API keys unchanged: the file is invalid');
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
