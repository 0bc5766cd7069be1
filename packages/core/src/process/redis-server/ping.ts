/** Asks whether the server that knows a password answers on a loopback port; used to wait for ours and to recognise a predecessor. */

import { connect } from 'node:net';

/**
 * What is on the port: `ready`, `loading` (ours, still reading its append-only file), `refused` (nobody), `silent`
 * (somebody who accepts and says nothing in time, such as a frozen process), `foreign` (somebody else's server).
 */
export type PingAnswer = 'ready' | 'loading' | 'refused' | 'silent' | 'foreign';

/** Sends AUTH and PING to 127.0.0.1:`port`; the password tells our server from any other that took the port since. */
export function ping(port: number, password: string, timeoutMs = 1_000): Promise<PingAnswer> {
  return new Promise((resolve) => {
    let answer = '';
    let isConnected = false;
    const socket = connect(port, '127.0.0.1');
    const settle = (outcome: PingAnswer): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => settle('silent'));
    socket.once('connect', () => {
      isConnected = true;
      socket.write(`AUTH ${password}\r\nPING\r\n`);
    });
    // A connection that breaks is one that a dying server closed: ask again and the kernel refuses.
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
