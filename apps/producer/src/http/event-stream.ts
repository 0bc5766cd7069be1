/** A response that streams server-sent events to one client. */

import type { Response } from 'express';

/** Writes events in the format of the HTML standard, 9.2.6. */
export class EventStream {
  readonly #res: Response;

  /** Sends status 200 and the headers of an event stream. */
  constructor(res: Response) {
    this.#res = res;
    res.status(200);
    res.setHeader('Content-Type', 'text/event-stream');
    res.setHeader('Cache-Control', 'no-store');
    // Stops nginx from buffering events.
    res.setHeader('X-Accel-Buffering', 'no');
    res.flushHeaders();
  }

  /** Whether the client has not yet read what was sent. */
  get isFull(): boolean {
    return this.#res.writableNeedDrain;
  }

  /** Sends an event whose data is JSON text. */
  send(event: string, json: string): void {
    this.#res.write(eventOf(event, json));
  }

  /** Sends a comment, so that no proxy closes a silent connection. */
  keepAlive(): void {
    this.#res.write(': keep-alive\n\n');
  }

  /** Sends the last event and closes the stream. */
  end(event: string, json: string): void {
    this.#res.end(eventOf(event, json));
  }

  /** Calls the listener once, when either side has closed the stream. */
  onClose(listener: () => void): void {
    this.#res.once('close', listener);
  }
}

function eventOf(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`;
}
