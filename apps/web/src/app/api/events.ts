/**
 * Listens to server-sent events of the API. Not `EventSource`: that cannot send a key, and hides why it was
 * refused.
 */

import { request } from './client.ts';

/** Who listens. */
export interface Listener {
  onEvent: (event: string, value: unknown) => void;
  /** The stream broke or could not be opened; it is opened again. */
  onBreak: (error: unknown) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/**
 * Listens until the signal is aborted or an event `end` came; a stream that breaks is opened again after a
 * while.
 * @param path as for `ask`
 */
export async function listen(
  path: string,
  { onEvent, onBreak }: Listener,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      const answer = await request(path, { signal });
      for await (const { event, json } of eventsIn(answer)) {
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
      const leave = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

/** The events of an answer; comments are left out. */
async function* eventsIn(answer: Response): AsyncGenerator<{ event: string; json: string }> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
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
