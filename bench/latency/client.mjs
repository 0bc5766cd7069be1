/** Asks for vectors over HTTP with kept connections and times every answer; `main.mjs` has one. */

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class Client {
  #url;
  #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url) {
    this.#url = `${url}/v1/embed`;
  }

  /**
   * Milliseconds of `count` requests of one text each, by `clients` that each wait for an answer before the
   * next request.
   * @param {{ clients: number, pauseMs: number }} options `pauseMs`: mean of a random pause before each
   * request
   */
  async ask(texts, count, { clients, pauseMs }) {
    const ms = [];
    let asked = 0;
    const worker = async () => {
      while (asked < count) {
        const text = texts[asked % texts.length];
        asked += 1;
        if (pauseMs > 0) await sleep(Math.random() * 2 * pauseMs);
        const startedAt = performance.now();
        await this.#embed(text);
        ms.push(performance.now() - startedAt);
      }
    };
    await Promise.all(Array.from({ length: clients }, worker));
    return ms;
  }

  close() {
    this.#agent.destroy();
  }

  #embed(text) {
    const body = JSON.stringify({ text });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const asked = request(this.#url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.on('end', () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`the answer was ${response.statusCode}`)),
        );
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}
