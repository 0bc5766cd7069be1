/**
 * Reads values of Redis on a connection of its own, with two copies less than ioredis: through one buffer that is used again and
 * again, into the memory where they stay.
 * Decision: docs/decisions/0189-results-are-read-without-ioredis.md.
 */

import { connect, type Socket } from 'node:net';
import pLimit from 'p-limit';
import { connectionOptions } from '../connect.ts';
import { ValueParser } from './value-parser.ts';
import type { ValueSource } from './value-source.ts';

/** Bytes per read of the socket. */
const READ_BYTES = 256 * 1024;

/** Where to connect, and how. */
export interface ValueReaderOptions {
  address: { host?: string; port?: number; path?: string; family?: number };
  /** Commands that make a new connection usable, such as AUTH. */
  greeting: readonly (readonly (string | number)[])[];
  /** Maximum time without a byte while a reply is expected, in milliseconds. */
  silenceMs: number;
}

/** A command whose reply is expected. */
interface Request {
  allocate: (bytes: number) => Uint8Array;
  /** Values that are expected. */
  count: number;
  values: (Uint8Array | null)[];
  resolve: (values: (Uint8Array | null)[]) => void;
  reject: (error: Error) => void;
}

/**
 * One command at a time. The connection is opened by the first command and by the first one after a fault, which fails the command
 * at hand: the caller tries again.
 */
export class ValueReader implements ValueSource {
  readonly #options: ValueReaderOptions;
  readonly #turn = pLimit(1);
  #socket: Socket | undefined;
  #request: Request | undefined;
  #isClosed = false;

  constructor(options: ValueReaderOptions) {
    this.#options = options;
  }

  /**
   * A reader for one server without TLS. `undefined` for other URLs: the primary of Sentinels and clusters changes, and TLS allocates
   * its own buffers.
   */
  static forUrl(url: string): ValueReader | undefined {
    const options = connectionOptions(url, 'bulk');
    const { host, port, path, family, db, username, password, tls, Connector, socketTimeout } = options;
    if (tls !== undefined || Connector !== undefined) return undefined;
    const user = username === undefined ? [] : [username];
    return new ValueReader({
      address: {
        family,
        ...(path === undefined ? { host, port } : { path }),
      } as ValueReaderOptions['address'],
      greeting: [
        ...(password === undefined ? [] : [['AUTH', ...user, password]]),
        ...(db === 0 ? [] : [['SELECT', db]]),
      ],
      silenceMs: socketTimeout,
    });
  }

  readAll(keys: readonly string[]): Promise<(Uint8Array | null)[]> {
    return this.#send(['MGET', ...keys], keys.length, (bytes) => Buffer.allocUnsafeSlow(bytes));
  }

  async readInto(target: Uint8Array, key: string, start: number): Promise<number> {
    const command = ['GETRANGE', key, start, start + target.byteLength - 1];
    const [value] = await this.#send(command, 1, (bytes) => target.subarray(0, bytes));
    return value!.byteLength;
  }

  /** Closes the connection for good; the command at hand and later ones fail. */
  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #send(
    command: readonly (string | number)[],
    count: number,
    allocate: Request['allocate'],
  ): Promise<(Uint8Array | null)[]> {
    return this.#turn(
      () =>
        new Promise((resolve, reject) => {
          if (this.#isClosed) {
            reject(new Error('Connection is closed.'));
            return;
          }
          this.#request = { allocate, count, values: [], resolve, reject };
          const socket = this.#socket ?? this.#open();
          socket.setTimeout(this.#options.silenceMs);
          socket.write(encodeCommand(command));
        }),
    );
  }

  #open(): Socket {
    const { address, greeting } = this.#options;
    const parser = new ValueParser({
      allocate: (bytes) => this.#request!.allocate(bytes),
      onValue: (value) => this.#take(value),
    });
    const onRead = (bytes: number, buffer: Uint8Array) => {
      try {
        parser.parse(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      } catch (error) {
        socket.destroy(error as Error);
      }
      return true;
    };
    const socket: Socket = connect({
      ...(address as { host: string; port: number }),
      onread: { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: onRead },
    });
    let fault = new Error('Connection is closed.');
    socket.on('error', (error) => {
      fault = error;
    });
    socket.on('timeout', () => socket.destroy(new Error('Socket timeout')));
    socket.on('close', () => {
      this.#socket = undefined;
      this.#request?.reject(fault);
      this.#request = undefined;
    });
    for (const command of greeting) socket.write(encodeCommand(command));
    this.#socket = socket;
    return socket;
  }

  #take(value: Uint8Array | null): void {
    const request = this.#request!;
    request.values.push(value);
    if (request.values.length < request.count) return;
    this.#request = undefined;
    this.#socket!.setTimeout(0);
    request.resolve(request.values);
  }
}

function encodeCommand(words: readonly (string | number)[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
