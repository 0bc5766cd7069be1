/**
 * The program of an inference thread; `thread-handle.ts` starts it by URL.
 *
 * One loop, one run of the model per turn: read the ports, take the oldest interactive piece or else the
 * oldest bulk piece, embed its next rows. So an interactive text waits for at most one run of other texts, and
 * a bulk piece resumes where it stopped.
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { begin, isWithdrawn } from './claim.ts';
import type { Engine, EngineModule } from './engine.ts';
import { PieceWork } from './piece-work.ts';
import type {
  MessageFromThread,
  MessageToThread,
  OpenMessage,
  PieceMessage,
  ThreadData,
} from './protocol.ts';
import { serializeError } from './thread-errors.ts';
import { TokenWork } from './token-work.ts';

/** A queued piece; `work` is set at its first turn. */
interface Task {
  message: PieceMessage;
  work?: PieceWork | TokenWork;
  /** Start of the first turn, in milliseconds since 1970. */
  startedAtMs: number;
}

if (parentPort === null) throw new Error('thread.js must run as a worker thread; InferencePool starts it');
const mainPort = parentPort;
const { engineUrl, interactivePort, unanswered } = workerData as ThreadData;
const engines = new Map<string, Promise<Engine>>();
const interactive: Task[] = [];
const bulk: Task[] = [];
let isClosing = false;
let wake = () => {};

// Messages arrive in two ways: as events while the loop waits, and through `readPorts` between two turns.
// Events alone would be late, because an engine that answers synchronously never yields to the event loop.
interactivePort.on('message', (message: MessageToThread) => {
  accept(message, interactive);
  wake();
});
mainPort.on('message', (message: MessageToThread) => {
  accept(message, bulk);
  wake();
});

for (;;) {
  readPorts();
  const queue = interactive.length > 0 ? interactive : bulk;
  const task = queue[0];
  if (task !== undefined) {
    if (await takeTurn(task)) queue.shift();
  } else if (isClosing) break;
  else {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}
for (const engine of await Promise.allSettled(engines.values())) {
  if (engine.status === 'fulfilled') await engine.value.close();
}
interactivePort.close();
mainPort.close();

/**
 * Reads all queued messages. The interactive port first: its pieces are sent after the `open` on the main
 * port they need.
 */
function readPorts(): void {
  for (
    let found = receiveMessageOnPort(interactivePort);
    found;
    found = receiveMessageOnPort(interactivePort)
  ) {
    accept(found.message, interactive);
  }
  for (let found = receiveMessageOnPort(mainPort); found; found = receiveMessageOnPort(mainPort)) {
    accept(found.message, bulk);
  }
}

function accept(message: MessageToThread, queue: Task[]): void {
  if (message.kind === 'piece') queue.push({ message, startedAtMs: 0 });
  else if (message.kind === 'open') void open(message);
  else isClosing = true;
}

/**
 * Opens an engine. Pieces wait for the promise in `engines`, which keeps an error until the next `open`
 * replaces it.
 */
async function open({ engine, model }: OpenMessage): Promise<void> {
  const opening = import(engineUrl).then((module: EngineModule) =>
    module.openEngine(model, { hasIdleCores }),
  );
  engines.set(engine, opening);
  try {
    const { dim, fingerprint } = await opening;
    answer({ kind: 'opened', engine, dim, fingerprint });
  } catch (thrown) {
    answer({ kind: 'open-failed', engine, error: serializeError(thrown) });
  }
}

/** Whether the pool has no piece but the one that this thread is computing. */
function hasIdleCores(): boolean {
  return Atomics.load(unanswered, 0) <= 1;
}

/** Gives a task one turn. Returns true once it is answered, or withdrawn, which needs no answer. */
async function takeTurn(task: Task): Promise<boolean> {
  const { id, claim } = task.message;
  try {
    if (task.work === undefined) {
      if (!begin(claim)) return true;
      task.startedAtMs = epochMs();
      const engine = await engines.get(task.message.engine);
      if (engine === undefined) throw new Error(`no model ${task.message.engine} reached this thread`);
      const { tokenize } = task.message;
      task.work =
        tokenize === undefined
          ? new PieceWork(task.message, engine)
          : new TokenWork(task.message, engine, tokenize);
    }
    if (isWithdrawn(claim)) return true;
    if (!task.work.isDone) await task.work.doNextRows(() => giveWay(task));
    if (!task.work.isDone) return false;
    const result = task.work.encode();
    const { startedAtMs, work } = task;
    const timings = { startedAtMs, endedAtMs: epochMs(), tokenizeMs: work.tokenizeMs, repeats: work.repeats };
    mainPort.postMessage({ kind: 'done', id, result, timings } satisfies MessageFromThread, [result.buffer]);
  } catch (thrown) {
    answer({ kind: 'failed', id, error: serializeError(thrown) });
  }
  return true;
}

/** Embeds interactive pieces between two chunks of a bulk text, which may have hundreds. */
async function giveWay(task: Task): Promise<void> {
  if (task !== bulk[0]) return;
  readPorts();
  for (let first = interactive[0]; first !== undefined; first = interactive[0]) {
    if (await takeTurn(first)) interactive.shift();
    readPorts();
  }
}

/**
 * Returns the time in milliseconds since 1970, with fractions, from a monotonic clock that all threads share.
 */
function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

function answer(message: MessageFromThread): void {
  mainPort.postMessage(message);
}
