/**
 * A reader of server-sent events that reconnects. `EventSource` is not used: it can neither send an API key
 * nor report why a request failed.
 */

import { request } from './client.ts';

/** Callbacks of a stream. */
export interface EventListeners {
  /** @param value the parsed JSON of the event */
  onEvent: (event: string, value: unknown) => void;
  /** Called when the stream ends or cannot be opened, before each reconnection. */
  onBreak: (error: unknown) => void;
}

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 5000;

/**
 * Reads events until the signal is aborted or an `end` event arrives; reconnects with exponential backoff.
 * @param path as for `request`
 */
export async function listen(
  path: string,
  { onEvent, onBreak }: EventListeners,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, MAX_WAIT_MS)) {
    try {
      const response = await request(path, { signal });
      for await (const { event, json } of eventsIn(response)) {
        if (signal.aborted) return;
        onEvent(event, JSON.parse(json));
        if (event === 'end') return;
        waitMs = FIRST_WAIT_MS;
      }
      throw new Error('the stream ended');
    } catch (error) {
      if (signal.aborted) return;
      onBreak(error);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      const stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', stopWaiting, { once: true });
    });
  }
}

/** Yields the events of a response; comments are skipped. */
async function* eventsIn(response: Response): AsyncGenerator<{ event: string; json: string }> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split('\n\n');
    text = messages.pop()!;
    for (const message of messages) {
      const [, event, json] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
      if (event !== undefined && json !== undefined) yield { event, json };
    }
  }
}
