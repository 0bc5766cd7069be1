/** One client that listens to server-sent events; the events routes open it. */

import type { Response } from 'express';

/** Writes events in the form of the HTML standard, 9.2.6. */
export class EventStream {
  readonly #res: Response;

  /** Answers 200 with the headers of a stream; the client hears the rest as it comes. */
  constructor(res: Response) {
    this.#res = res;
    res.status(200);
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    // nginx would hold events back to fill its buffer.
    res.setHeader('X-Accel-Buffering', 'no');
    res.flushHeaders();
  }

  /** True while the client has not yet read what was sent. */
  get isFull(): boolean {
    return this.#res.writableNeedDrain;
  }

  send(event: string, json: string): void {
    this.#res.write(eventOf(event, json));
  }

  /** A comment, so that no proxy takes the silence for an end. */
  keepAlive(): void {
    this.#res.write(': still here\n\n');
  }

  /** The last event; then the stream closes. */
  end(event: string, json: string): void {
    this.#res.end(eventOf(event, json));
  }

  /** Called once when either side has closed the stream. */
  onClose(listener: () => void): void {
    this.#res.once('close', listener);
  }
}

function eventOf(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
