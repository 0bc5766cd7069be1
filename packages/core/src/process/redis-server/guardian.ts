/**
 * Starts a server under a guardian, a small shell process that ends the server when we end; used by private-redis.ts.
 *
 * A killed process (kill -9, out of memory) cannot clean up, and Redis does not notice that its parent is gone. But
 * the kernel closes our end of the guardian's stdin pipe in every case, and the guardian waits for exactly that. The
 * guardian leads its own session, so a Ctrl-C in the terminal reaches us only, and Redis stays until the workers are done.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Seconds between the polite signal and the final one: the append-only file of a full server is flushed well within. */
export const GRACE_SECONDS = 10;

/**
 * $1 is the grace time in seconds, the rest is the server's command. Prints the server's process id, then waits for
 * the server; the watcher in the background waits for the end of stdin. What the server says goes to stderr, the log.
 */
const GUARDIAN = `
grace=$1; shift
exec 3<&0
"$@" 3<&- </dev/null >&2 &
server=$!
echo "$server"
(
  while read -r line; do :; done
  kill -TERM "$server" 2>/dev/null
  while [ "$grace" -gt 0 ] && kill -0 "$server" 2>/dev/null; do sleep 1; grace=$((grace - 1)); done
  kill -KILL "$server" 2>/dev/null
) <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&- </dev/null
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
`;

/** A running server and its guardian. */
export interface Guarded {
  guardian: ChildProcess;
  /** Settles when the guardian ends, right after the server, with the server's status (128 + n for signal n). */
  ended: Promise<number>;
  /** Process id of the server. */
  serverPid: number;
}

/**
 * Starts `command` under a guardian with its output in the file `logPath`; returns as soon as the server's process exists.
 * Our event loop is not kept alive by it.
 */
export async function spawnGuarded(command: readonly string[], logPath: string): Promise<Guarded> {
  const log = await open(logPath, 'w', 0o600);
  const guardian = spawn(
    'sh',
    ['-c', GUARDIAN, 'embedmill-redis-guardian', String(GRACE_SECONDS), ...command],
    {
      detached: true,
      stdio: ['pipe', 'pipe', log.fd],
    },
  );
  const { stdin, stdout } = guardian;
  if (stdin === null || stdout === null) throw new Error('a guardian without pipes');
  // From the first moment: a server that fails at once ends before we have read its process id.
  const ended = new Promise<number>((resolve) => {
    guardian.once('exit', (code) => resolve(code ?? 1));
  });
  const serverPid = await new Promise<number>((resolve, reject) => {
    guardian.once('error', reject);
    const lines = createInterface(stdout);
    lines.once('line', (line) => resolve(Number(line)));
    lines.once('close', () =>
      reject(new Error('the guardian of the Redis server ended before it said anything')),
    );
  }).finally(() => log.close());
  stdout.destroy();
  // An error here means that the guardian is gone, which its exit event tells better.
  stdin.on('error', () => {});
  guardian.unref();
  unrefPipe(stdin);
  return { guardian, ended, serverPid };
}

/** Asks the guardian to end the server by closing the pipe, as our death would. */
export function letGo({ guardian }: Guarded): void {
  guardian.ref();
  guardian.stdin?.destroy();
}

/** Ends the server and the guardian at once; for a server that does not end by itself. */
export function killGuarded({ guardian, serverPid }: Guarded): void {
  for (const pid of [serverPid, guardian.pid]) {
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between, which is what we want.
    }
  }
}

function unrefPipe(pipe: unknown): void {
  (pipe as { unref?: () => void }).unref?.();
}
