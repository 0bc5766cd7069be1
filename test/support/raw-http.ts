/** Sends raw bytes to an HTTP server, for requests that no client library would send. */

import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends bytes and returns everything received until either side closes the connection. */
export async function rawRequest({ port }: { port: number }, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {});
  socket.setTimeout(2000, () => socket.destroy());
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return answer;
}
