/** Finds out whether a server that does not respond speaks TLS where REDIS_URL says plain text, or the reverse. */

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readRedisUrl } from '../process/config/redis-url.ts';

/** Maximum time of an attempt. */
const ATTEMPT_MS = 1500;

/** First bytes of the replies of Redis to PING, with and without a password. */
const REDIS_REPLY = /^(?:\+PONG|-[A-Z]+ )/;

/**
 * What is wrong with the transport in a URL, as a sentence without its first capital letter; undefined if the server of
 * its first address does not speak the other one either.
 * @param url whose server did not become usable
 */
export async function transportProblem(url: string): Promise<string | undefined> {
  const read = readRedisUrl(url);
  const [endpoint] = read.ok ? read.address.endpoints : [];
  if (!read.ok || endpoint === undefined) return undefined;
  const { tls, family } = read.address;
  const options = { ...endpoint, family };
  const other = tls === undefined ? speaksTls(options) : speaksPlainText(options);
  if (!(await other)) return undefined;
  const scheme = url.slice(0, url.indexOf('://'));
  return tls === undefined
    ? `the server speaks TLS; use ${scheme.replace('redis', 'rediss')}://`
    : `the server speaks plain text, not TLS; use ${scheme.replace('rediss', 'redis')}://`;
}

/** Whether a TLS handshake begins; the certificate does not matter here, and nothing is sent. */
function speaksTls(options: { host: string; port: number; family: number }): Promise<boolean> {
  return attempt((settle) => {
    const socket = connectTls({ ...options, rejectUnauthorized: false }, () => settle(true));
    // A server that requires a client certificate refuses with an alert, which is TLS.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(/^ERR_SSL_.*ALERT/.test(error.code ?? '')));
    return socket;
  });
}

function speaksPlainText(options: { host: string; port: number; family: number }): Promise<boolean> {
  return attempt((settle) => {
    const socket = connectTcp(options, () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => settle(REDIS_REPLY.test(bytes.toString('latin1'))));
    socket.once('error', () => settle(false));
    return socket;
  });
}

async function attempt(open: (settle: (value: boolean) => void) => Socket): Promise<boolean> {
  let socket: Socket | undefined;
  try {
    return await new Promise<boolean>((resolve) => {
      socket = open(resolve);
      socket.once('close', () => resolve(false));
      socket.setTimeout(ATTEMPT_MS, () => resolve(false));
    });
  } finally {
    socket?.on('error', () => {});
    socket?.destroy();
  }
}
