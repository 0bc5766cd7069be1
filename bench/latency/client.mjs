/** HTTP client that times requests for vectors over persistent connections. */

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client of one producer. */
export class Client {
  #url;
  #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url) {
    this.#url = `${url}/v1/embed`;
  }

  /**
   * Returns the milliseconds of `count` requests with one text each; each of the `clients` has one request at
   * a time.
   * @param {{ clients: number, pauseMs: number }} options `pauseMs`: mean of a random pause before each
   * request
   */
  async measure(texts, count, { clients, pauseMs }) {
    const ms = [];
    let sent = 0;
    const worker = async () => {
      while (sent < count) {
        const text = texts[sent % texts.length];
        sent += 1;
        if (pauseMs > 0) await sleep(Math.random() * 2 * pauseMs);
        const startedAt = performance.now();
        await this.#embed(text);
        ms.push(performance.now() - startedAt);
      }
    };
    await Promise.all(Array.from({ length: clients }, worker));
    // The server may close idle connections before the next measurement.
    this.#agent.destroy();
    return ms;
  }

  close() {
    this.#agent.destroy();
  }

  #embed(text) {
    const body = JSON.stringify({ text });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.on('end', () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`the response status is ${response.statusCode}`)),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
