/**
 * A resource on another machine as a source of bytes.
 *
 * The first answer states the version of the resource. Every later answer must have the same one: a broken
 * connection is continued at the byte where it broke, and a resource that changed ends the command. A server
 * that cannot continue, or states no version, sends the resource from the start again; the bytes that were
 * read before are compared by their hash, so that two versions are never mixed.
 */

import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError, EmbedmillError, quote, UnavailableError } from '@embedmill/contract';
import type { FileBytes } from '@embedmill/core/formats';
import { UNKNOWN_CONTENTS } from './identity.ts';
import type { ByteSource, SourceDeps } from './types.ts';

/** What a server states about the contents of a resource. */
export interface RemoteVersion {
  /** Size as stored; `null` if not stated. */
  bytes: number | null;
  /** Equal for equal contents, such as an entity tag; `null` if not stated. */
  tag: string | null;
}

/** The answer to one request. */
export interface RemoteAnswer {
  version: RemoteVersion;
  /** Position of the first byte: that of the request, or 0 if the server ignores ranges. */
  start: number;
  /** Whether the server answers requests for ranges. */
  hasRanges: boolean;
  body: AsyncIterable<Uint8Array>;
  /** Closes the connection if the body is not read. */
  close(): void;
}

/** The bytes of a request; `end` is exclusive, `null` for the end of the resource. */
export interface RemoteRange {
  start: number;
  end: number | null;
}

/** A resource that is requested by ranges. */
export interface RemoteResource {
  /** Name for messages, without credentials. */
  name: string;
  /** Name whose extension is a hint of the format. */
  fileName: string;
  /**
   * Sends one request, without repeating it.
   * @param version of the first answer, so that the server can refuse a request for another version
   * @throws {SourceUnavailable} if the request can be repeated; {@link sourceChanged} if the version is gone
   */
  get(range: RemoteRange, version: RemoteVersion | null, deps: SourceDeps): Promise<RemoteAnswer>;
}

/** Pauses between failed requests in ms; a request that made progress starts from the first again. */
const WAITS_MS: readonly number[] = [500, 2_000, 8_000, 20_000];

/** Longest pause that a server can ask for. */
const MAX_RETRY_AFTER_MS = 120_000;

/** Silence after which a connection counts as broken. */
const SILENCE_MS = 60_000;

/** Limits of waiting; tests use shorter ones. */
export interface RemoteLimits {
  waitsMs: readonly number[];
  silenceMs: number;
}

/** The error for a resource whose contents are not those that were read before. */
export function sourceChanged(name: string): EmbedmillError {
  return new EmbedmillError(
    'source-changed',
    `${quote(name, 200)} changed while it was read; run the same command again, with --overwrite to start over`,
  );
}

/** A failed request that can be repeated. */
export class SourceUnavailable extends UnavailableError {
  /** Pause that the server asks for. */
  readonly retryAfterMs: number;

  /** @param name of the resource */
  constructor(
    name: string,
    problem: string,
    { cause, retryAfterMs = 0 }: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super('source-unavailable', `${quote(name, 200)} cannot be read: ${problem}`, { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

/** The error for a request that will never succeed. */
export function sourceRefused(name: string, problem: string, cause?: unknown): EmbedmillError {
  return new EmbedmillError('source-refused', `${quote(name, 200)} cannot be read: ${problem}`, { cause });
}

/** A source of the bytes of a resource. */
export function remoteSource(
  resource: RemoteResource,
  limits: RemoteLimits = { waitsMs: WAITS_MS, silenceMs: SILENCE_MS },
): ByteSource {
  const file = new RemoteFile(resource, limits);
  return {
    kind: 'bytes',
    name: resource.name,
    fileName: resource.fileName,
    path: null,
    isStream: false,
    size: () => file.version?.bytes ?? null,
    async identify() {
      const { bytes = null, tag = null } = file.version ?? {};
      if (bytes === null && tag === null) return UNKNOWN_CONTENTS;
      const hash = createHash('sha256').update(tag ?? '');
      return { bytes: bytes ?? 0, sha256: hash.digest('hex') };
    },
    open: (deps) => file.read(deps),
    openRandom: (deps) => file.openRandom(deps),
  };
}

class RemoteFile {
  readonly #resource: RemoteResource;
  readonly #limits: RemoteLimits;
  #version: RemoteVersion | null = null;
  #hasRanges = false;

  constructor(resource: RemoteResource, limits: RemoteLimits) {
    this.#resource = resource;
    this.#limits = limits;
  }

  /** The version of the first answer; `null` before it. */
  get version(): RemoteVersion | null {
    return this.#version;
  }

  /** All bytes from the start, across broken connections. */
  async *read(deps: SourceDeps): AsyncGenerator<Uint8Array> {
    let at = 0;
    const before = createHash('sha256');
    for (let failures = 0; ; ) {
      const from = at;
      try {
        for await (const chunk of this.#from(at, before, deps)) {
          // The hash of all bytes; it is needed only if the server cannot continue.
          if (!this.#canContinue) before.update(chunk);
          at += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        failures = at > from ? 1 : failures + 1;
        await this.#pause(error, failures, deps);
      }
    }
  }

  /** Random access, if ranges are answered and a change would be noticed. */
  async openRandom(deps: SourceDeps): Promise<FileBytes | null> {
    const size = this.#version?.bytes ?? null;
    if (size === null || !this.#canContinue) return null;
    return {
      byteLength: size,
      read: (start, end) => this.#readRange(start, end, deps),
      close: async () => {},
    };
  }

  get #canContinue(): boolean {
    return this.#hasRanges && this.#version?.tag !== null;
  }

  async #readRange(start: number, end: number, deps: SourceDeps): Promise<Buffer> {
    if (start === end) return Buffer.alloc(0);
    for (let failures = 0; ; ) {
      try {
        const answer = await this.#get({ start, end }, deps);
        if (answer.start !== start) {
          answer.close();
          throw this.#unavailable('the server stopped to answer requests for ranges');
        }
        const chunks: Uint8Array[] = [];
        for await (const chunk of this.#bodyOf(answer, deps)) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        if (bytes.length !== end - start) throw this.#unavailable('the connection ended early');
        return bytes;
      } catch (error) {
        failures += 1;
        await this.#pause(error, failures, deps);
      }
    }
  }

  /** The bytes from `at` on, of one connection; without ranges, those before it must have the hash `before`. */
  async *#from(at: number, before: Hash, deps: SourceDeps): AsyncGenerator<Uint8Array> {
    const canContinue = at > 0 && this.#canContinue;
    const answer = await this.#get({ start: canContinue ? at : 0, end: null }, deps);
    let position = answer.start;
    const again = createHash('sha256');
    for await (const chunk of this.#bodyOf(answer, deps)) {
      const skipped = Math.min(chunk.length, Math.max(0, at - position));
      position += chunk.length;
      // A server that knows ranges may send everything nevertheless; its version is the same.
      if (skipped > 0 && !canContinue) {
        again.update(chunk.subarray(0, skipped));
        if (position >= at && again.digest('hex') !== before.copy().digest('hex')) {
          throw sourceChanged(this.#resource.name);
        }
      }
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
    if (position < at) throw sourceChanged(this.#resource.name);
    const size = this.#version?.bytes ?? null;
    if (size !== null && position < size) throw this.#unavailable('the connection ended early');
  }

  /** Sends one request, and compares the version of its answer. */
  async #get(range: RemoteRange, deps: SourceDeps): Promise<RemoteAnswer> {
    const answer = await this.#resource.get(range, this.#version, deps);
    const { bytes, tag } = answer.version;
    if (this.#version === null) {
      this.#version = answer.version;
      this.#hasRanges = answer.hasRanges;
    } else if (tag !== this.#version.tag || (bytes ?? this.#version.bytes) !== this.#version.bytes) {
      answer.close();
      throw sourceChanged(this.#resource.name);
    }
    return answer;
  }

  /** The bytes of an answer; fails when the server is silent. */
  async *#bodyOf(answer: RemoteAnswer, { signal }: SourceDeps): AsyncGenerator<Uint8Array> {
    const body = answer.body[Symbol.asyncIterator]();
    // One listener for all chunks: a promise per signal would keep all that were raced with it.
    let fail: (error: unknown) => void = () => {};
    const abort = () => fail(signal.reason);
    signal.addEventListener('abort', abort);
    const { silenceMs } = this.#limits;
    const nextInTime = () =>
      new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        const timer = setTimeout(
          () => reject(this.#unavailable(`no data for ${silenceMs / 1000} s`)),
          silenceMs,
        );
        body
          .next()
          .then(resolve, (cause) => reject(this.#unavailable(asError(cause).message, cause)))
          .finally(() => clearTimeout(timer));
      });
    try {
      for (let next = await nextInTime(); !next.done; next = await nextInTime()) yield next.value;
    } finally {
      signal.removeEventListener('abort', abort);
      answer.close();
    }
  }

  async #pause(error: unknown, failures: number, { signal, onRetry }: SourceDeps): Promise<void> {
    signal.throwIfAborted();
    const waitMs = this.#limits.waitsMs[failures - 1];
    if (!(error instanceof SourceUnavailable) || waitMs === undefined) throw error;
    onRetry?.(error.message);
    await sleep(Math.max(waitMs, Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS)), undefined, { signal });
  }

  #unavailable(problem: string, cause?: unknown): SourceUnavailable {
    return new SourceUnavailable(this.#resource.name, problem, { cause });
  }
}
