/**
 * Starts a server under a guardian: a small shell process that ends the server when this process ends.
 *
 * A killed process (kill -9, out of memory) cannot clean up, and Redis does not notice the death of its
 * parent. But the kernel always closes this end of the guardian's stdin pipe, and the guardian waits for
 * that. The guardian leads its own session, so Ctrl-C in the terminal does not reach Redis, which runs until
 * the workers are done.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Seconds between SIGTERM and SIGKILL; enough to flush the append-only file of a full server. */
export const GRACE_SECONDS = 10;

/**
 * $1 is the grace time in seconds, the rest is the server's command. Prints the server's process id, then
 * waits for the server; the watcher in the background waits for the end of stdin. The output of the server
 * goes to stderr, the log.
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
  /** Resolves when the guardian ends, just after the server, with the exit status (128 + n for signal n). */
  ended: Promise<number>;
  /** Process id of the server. */
  serverPid: number;
}

/**
 * Starts `command` under a guardian with its output in the file `logPath`; resolves as soon as the server
 * process exists. Does not keep the event loop of this process alive.
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
  if (stdin === null || stdout === null) throw new Error('the guardian process has no pipes');
  // Registered first: a server that fails immediately ends before its process id is read.
  const ended = new Promise<number>((resolve) => {
    guardian.once('exit', (code) => resolve(code ?? 1));
  });
  const serverPid = await new Promise<number>((resolve, reject) => {
    guardian.once('error', reject);
    const lines = createInterface(stdout);
    lines.once('line', (line) => resolve(Number(line)));
    lines.once('close', () =>
      reject(new Error('the guardian of the Redis server ended before it printed a process id')),
    );
  }).finally(() => log.close());
  stdout.destroy();
  // An error here means that the guardian ended, which its exit event reports.
  stdin.on('error', () => {});
  guardian.unref();
  unrefPipe(stdin);
  return { guardian, ended, serverPid };
}

/** Closes the pipe, upon which the guardian ends the server, as after the death of this process. */
export function closePipe({ guardian }: Guarded): void {
  guardian.ref();
  guardian.stdin?.destroy();
}

/** Kills the server, upon which the guardian ends. */
export function killServer({ guardian, serverPid }: Guarded): void {
  guardian.ref();
  kill(serverPid);
}

/** Kills the server and the guardian, if the server did not end in time. */
export function killGuarded({ guardian, serverPid }: Guarded): void {
  kill(serverPid);
  if (guardian.pid !== undefined) kill(guardian.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has already ended.
  }
}

function unrefPipe(pipe: unknown): void {
  (pipe as { unref?: () => void }).unref?.();
}
