/** Clients that take as much of a producer's memory as they can, each kind in its own way. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MEGABYTE = 1024 * 1024;

/** What a client attacks. */
export interface HostileTarget {
  port: number;
  /** An open run, for uploads. */
  openRun: string;
  /** A completed run, for downloads. */
  completedRun: string;
  /** Number of answers to hostile clients, by status. */
  statuses: Record<string, number>;
}

/** One connection after the other until the signal is aborted. */
export type HostileClient = (target: HostileTarget, client: number, signal: AbortSignal) => Promise<void>;

const row = Buffer.from(`${JSON.stringify({ text: 'long words '.repeat(95_000) })}\n`);
const texts = Buffer.from(
  JSON.stringify({ texts: Array.from({ length: 13 }, (_, i) => `${i} ${'long words '.repeat(94_000)}`) }),
);

/** Every kind of hostile client by name. */
export const HOSTILE_CLIENTS: Readonly<Record<string, HostileClient>> = {
  'uploads of 1 MB rows': async (target, client, signal) => {
    for (let part = client; !signal.aborted; part += 1000) {
      const socket = open(target, signal);
      socket.write(
        post(`/v1/runs/${target.openRun}/rows?part=${part}`, 'application/x-ndjson', 16 * row.length),
      );
      for (let i = 0; i < 16 && !socket.destroyed; i++) await write(socket, row);
      await answered(socket);
    }
  },
  'embed calls of 13 MB': async (target, _client, signal) => {
    while (!signal.aborted) {
      const socket = open(target, signal);
      socket.write(post('/v1/embed', 'application/json', texts.length));
      for (let at = 0; at < texts.length && !socket.destroyed; at += MEGABYTE)
        await write(socket, texts.subarray(at, at + MEGABYTE));
      await answered(socket);
    }
  },
  'downloads that nobody reads': async (target, client, signal) => {
    while (!signal.aborted) {
      const socket = open(target, signal, false);
      socket.write(get(pathOf(target, client)));
      // Without reading, only an error or the end of the test closes this side.
      await Promise.race([once(socket, 'close'), sleep(70_000, undefined, { signal })]).catch(() => {});
      socket.destroy();
    }
  },
  'slow readers': async (target, client, signal) => {
    while (!signal.aborted) {
      const socket = open(target, signal, false);
      socket.write(get(pathOf(target, client)));
      while (!signal.aborted && !socket.destroyed && !socket.readableEnded) {
        socket.read(16 * 1024) ?? socket.read();
        await sleep(500, undefined, { signal }).catch(() => {});
      }
      socket.destroy();
    }
  },
  'slow writers': async (target, client, signal) => {
    for (let part = client; !signal.aborted; part += 1000) {
      const socket = open(target, signal);
      socket.write(
        post(`/v1/runs/${target.openRun}/rows?part=${part}`, 'application/x-ndjson', 16 * row.length),
      );
      for (let i = 0; i < 3 && !socket.destroyed; i++) await write(socket, row);
      await write(socket, row.subarray(0, 900_000));
      while (!signal.aborted && !socket.destroyed) {
        socket.write('x'.repeat(200));
        await sleep(1000, undefined, { signal }).catch(() => {});
      }
    }
  },
  'half-open requests': async (target, client, signal) => {
    while (!signal.aborted) {
      const socket = open(target, signal);
      socket.write(
        client % 2 === 0
          ? post('/v1/embed', 'application/json', texts.length)
          : post(`/v1/runs/${target.openRun}/rows?part=${client}`, 'application/x-ndjson', 16 * row.length),
      );
      await answered(socket);
    }
  },
};

const FORMATS = ['jsonl', 'npy', 'parquet', 'arrow'];
const pathOf = ({ completedRun }: HostileTarget, client: number): string =>
  `/v1/runs/${completedRun}/results?format=${FORMATS[client % FORMATS.length]}`;

function open({ port, statuses }: HostileTarget, signal: AbortSignal, reads = true): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  if (reads) {
    socket.once('data', (start: Buffer) => {
      const status = start.toString('latin1', 9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
    });
  }
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end);
  socket.once('close', () => signal.removeEventListener('abort', end));
  return socket;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

const post = (path: string, type: string, bytes: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${bytes}\r\n\r\n`;

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}

async function answered(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close');
}
