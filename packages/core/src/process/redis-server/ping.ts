/**
 * Checks which server responds on a loopback port, to wait for a private server and to recognize a
 * predecessor.
 */

import { connect } from 'node:net';

/**
 * The state of the port: `ready`, `loading` (the private server is reading its append-only file), `refused`
 * (no listener), `silent` (accepts but does not respond in time, such as a frozen process), `foreign`
 * (another server).
 */
export type PingResult = 'ready' | 'loading' | 'refused' | 'silent' | 'foreign';

/** Sends AUTH and PING to 127.0.0.1:`port`; the password distinguishes the private server from any other. */
export function ping(port: number, password: string, timeoutMs = 1_000): Promise<PingResult> {
  return new Promise((resolve) => {
    let answer = '';
    let isConnected = false;
    const socket = connect(port, '127.0.0.1');
    const settle = (outcome: PingResult): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => settle('silent'));
    socket.once('connect', () => {
      isConnected = true;
      socket.write(`AUTH ${password}\r\nPING\r\n`);
    });
    // A dying server breaks the connection; the kernel would refuse the next one.
    socket.once('error', () => settle(isConnected && answer !== '' ? 'foreign' : 'refused'));
    socket.once('close', () => settle(answer === '' ? 'refused' : 'foreign'));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      const [auth, pong] = answer.split('\r\n');
      if (auth === undefined || !answer.includes('\r\n')) return;
      if (auth.startsWith('-LOADING')) settle('loading');
      else if (auth !== '+OK') settle('foreign');
      else if (pong?.startsWith('+PONG')) settle('ready');
      else if (pong?.startsWith('-LOADING')) settle('loading');
      else if (pong !== undefined && pong !== '') settle('foreign');
    });
  });
}
