/** Turns facts about a producer into its health: the one place that words the problems which every surface shows. */

import {
  type Health,
  type HealthProblem,
  PROBLEM_CODES,
  type ProblemCode,
  type Severity,
} from '@embedmill/contract';
import type { Fault } from '@embedmill/core/process';
import type { WorkerReport } from '@embedmill/core/redis';

/** What is known about a producer at one moment. */
export interface HealthFacts {
  /** What Redis answered to the last commands, if not what was asked for. */
  redisFault: Fault | null;
  /** What the data folder waits for until it is open; `null` once it is. */
  folderWaitsFor: string | null;
  diskFault: Fault | null;
  /** Free bytes on the disk of the data folder; `null` if unknown. */
  freeBytes: number | null;
  /** Estimated bytes that the active runs will still write. */
  neededBytes: number;
  /** Whether Redis is so full that no rows are accepted. */
  isRedisFull: boolean;
  /** Why Redis may delete keys; `null` if it does not. */
  policyFault: string | null;
  /** Why results are not stored; `null` while they are. */
  collectingFault: string | null;
  /** Connected workers; `null` if unknown. */
  workers: number | null;
  /** Active runs that wait for a worker with their model, and what each waits for. */
  waitingRuns: readonly { id: string; waitsFor: string }[];
  activeRuns: number;
  /** Accepted rows without a vector. */
  backlogRows: number;
  rowsPerSecond: number;
  /** Milliseconds since the last row was done or the backlog began; 0 without a backlog. */
  idleMs: number;
  /** Cores that the workers use, divided by those that they may use; `null` if unknown. */
  cpuSaturation: number | null;
  /** Workers whose threads lose much time to their CPU quota. */
  throttledWorkers: readonly Pick<WorkerReport, 'host' | 'threads' | 'quotaCores' | 'throttledRatio'>[];
  /** Workers that would finish the backlog within the drain target, and the seconds that they need; `null` if unknown. */
  growth: { workers: number; seconds: number } | null;
}

/** A backlog without a finished row for this long is reported: longer than any batch takes on a slow machine. */
const STALL_MS = 120_000;

/** Share of their CPUs at which workers are called saturated; the alert EmbedmillSaturated has the same. */
const SATURATED_RATIO = 0.9;

/** Share of their CPUs below which something other than their number slows workers down. */
const IDLE_RATIO = 0.5;

/** What ends a fault of Redis or the disk, by its kind; others pass or are in the log. */
const REMEDIES: Readonly<Record<string, string>> = {
  NOAUTH: 'Set the password in REDIS_URL and restart the producer and the workers.',
  WRONGPASS: 'Correct the password in REDIS_URL and restart the producer and the workers.',
  NOPERM: 'Permit the Redis user all commands on the keys of the prefix (ACL SETUSER).',
  NOPRIMARY: 'Correct the name of the primary at the end of REDIS_URL.',
  MOVED: 'Set REDIS_URL to redis+cluster://HOST:PORT, with any node of the cluster.',
  READONLY: 'Set REDIS_URL to the primary; after a failover it ends without help.',
  MISCONF: 'Free space on the disk of Redis; its log names the file that it cannot write.',
  OOM: 'It ends when workers have freed memory; otherwise raise maxmemory.',
  ENOSPC: 'Free space on this disk; the runs continue without help.',
  EDQUOT: 'Raise the quota or delete runs; the runs continue without help.',
  EROFS: 'Mount the disk writable; the runs continue without help.',
  EACCES: 'Permit the user of the producer to write to the data folder.',
  EPERM: 'Permit the user of the producer to write to the data folder.',
};

const UNREACHABLE_REMEDY = 'It ends when Redis is reachable at the address in REDIS_URL; nothing is lost.';
const PASSING_REMEDY = 'It ends without help; nothing is lost.';
const LASTING_REMEDY = 'The log of the producer has the details.';

/** Computes the health. */
export function healthOf(facts: HealthFacts): Health {
  const problems = problemsOf(facts).sort(
    (a, b) => PROBLEM_CODES.indexOf(a.code) - PROBLEM_CODES.indexOf(b.code),
  );
  const [first] = problems;
  return { state: stateOf(problems), sentence: first?.sentence ?? describeWork(facts), problems };
}

function stateOf(problems: readonly HealthProblem[]): Health['state'] {
  if (problems.some(({ refusesRows }) => refusesRows)) return 'unavailable';
  return problems.some(({ severity }) => severity !== 'advice') ? 'degraded' : 'ok';
}

function problemsOf(facts: HealthFacts): HealthProblem[] {
  const problems: HealthProblem[] = [];
  const add = (
    code: ProblemCode,
    severity: Severity,
    {
      sentence,
      remedy,
      mayPass = true,
      refusesRows = false,
      run = null,
    }: Partial<HealthProblem> & SentencePair,
  ) => problems.push({ code, severity, sentence: asSentence(sentence), remedy, mayPass, refusesRows, run });
  const addFault = (code: ProblemCode, fault: Fault, more = '') =>
    add(code, 'critical', {
      sentence: `${fault.sentence}${more}`,
      remedy: remedyOf(fault),
      mayPass: fault.duration === 'passing',
      refusesRows: true,
    });

  if (facts.redisFault !== null) addFault('redis', facts.redisFault);
  if (facts.diskFault !== null) addFault('disk', facts.diskFault, describeSpace(facts));
  // It starts once Redis can be used.
  if (facts.folderWaitsFor !== null && facts.redisFault === null) {
    add('starting', 'critical', {
      sentence: `the producer is starting and waits for ${facts.folderWaitsFor}`,
      remedy: 'It ends when what it waits for is there; nothing is lost.',
      refusesRows: true,
    });
  }
  if (facts.isRedisFull) {
    add('redis-full', 'critical', {
      sentence: 'Redis is nearly full: no rows are accepted until workers have freed memory',
      remedy:
        'It ends when workers have done a part of the backlog; more workers or a larger maxmemory help.',
      refusesRows: true,
    });
  }
  if (facts.policyFault !== null) {
    add('redis-policy', 'critical', {
      sentence: facts.policyFault,
      remedy: 'Run "redis-cli config set maxmemory-policy noeviction".',
      mayPass: false,
      refusesRows: true,
    });
  }
  // The fault of Redis or of the disk explains it.
  if (facts.collectingFault !== null && problems.length === 0) {
    add('collecting', 'critical', {
      sentence: `collecting of results pauses: ${facts.collectingFault}`,
      remedy: PASSING_REMEDY,
      refusesRows: true,
    });
  }
  // Without Redis nothing is known about workers.
  if (facts.redisFault === null && facts.workers !== null) addWorkerProblems(facts, facts.workers, add);
  if (facts.diskFault === null && facts.freeBytes !== null && facts.freeBytes < facts.neededBytes) {
    add('disk-space', 'warning', {
      sentence: `the disk of the data folder has ${bytes(facts.freeBytes)} free, and the active runs need about ${bytes(facts.neededBytes)} more`,
      remedy: 'Free space on this disk or delete runs that are no longer needed.',
    });
  }
  return problems;
}

type SentencePair = Pick<HealthProblem, 'sentence' | 'remedy'>;
type AddProblem = (
  code: ProblemCode,
  severity: Severity,
  more: Partial<HealthProblem> & SentencePair,
) => unknown;

function addWorkerProblems(facts: HealthFacts, workers: number, add: AddProblem): void {
  const { backlogRows, waitingRuns, idleMs } = facts;
  if (workers === 0) {
    add('no-worker', backlogRows > 0 ? 'critical' : 'warning', {
      sentence:
        backlogRows > 0 ? `${rows(backlogRows)} and no worker is connected` : 'no worker is connected',
      remedy: 'Start a worker with the same REDIS_URL ("embedmill worker"); the runs continue without help.',
    });
    return;
  }
  for (const { id, waitsFor } of waitingRuns) {
    add('no-model', 'warning', {
      sentence: `run ${id} stands still: ${waitsFor}`,
      remedy:
        'Start a worker with this model ("embedmill worker --model NAME"), or remove the reason if one is stated; the run ' +
        'continues without help.',
      run: id,
    });
  }
  if (idleMs > STALL_MS && waitingRuns.length === 0) {
    add('stalled', 'critical', {
      sentence: `${rows(backlogRows)}, and none was done for ${duration(idleMs / 1000)} although ${count(workers, 'worker')} connected`,
      remedy: 'The logs of the workers have the reason; docs/runbook.md says what to look for.',
    });
    return;
  }
  addThrottling(facts, add);
  addGrowth(facts, workers, add);
}

function addThrottling({ throttledWorkers }: HealthFacts, add: AddProblem): void {
  const [slowest] = throttledWorkers.toSorted((a, b) => (b.throttledRatio ?? 0) - (a.throttledRatio ?? 0));
  if (slowest === undefined) return;
  const { host, threads, quotaCores, throttledRatio = 0 } = slowest;
  const whose =
    throttledWorkers.length === 1
      ? `the CPU quota stops the threads of worker ${host}`
      : `CPU quotas stop the threads of ${throttledWorkers.length} workers, those of ${host}`;
  const setup = `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${quotaCores} ${quotaCores === 1 ? 'core' : 'cores'}`;
  add('throttled', 'warning', {
    sentence: `${whose} for ${percent(throttledRatio)} of the time (${setup})`,
    remedy: 'Give each worker whole cores, and leave EMBEDMILL_THREADS unset: one thread per whole core.',
  });
}

/** When more workers would help, and how many: the signal to scale out. */
function addGrowth(facts: HealthFacts, workers: number, add: AddProblem): void {
  const { growth, backlogRows, rowsPerSecond, cpuSaturation } = facts;
  if (growth === null || growth.workers <= workers || rowsPerSecond === 0) return;
  const secondsNow = backlogRows / rowsPerSecond;
  if (growth.seconds >= secondsNow) return;
  const more = growth.workers - workers;
  const speed = `${rate(rowsPerSecond)} rows/s`;
  const present =
    cpuSaturation === null
      ? `the workers do ${speed}`
      : cpuSaturation >= SATURATED_RATIO
        ? `the workers are saturated (CPU ${percent(cpuSaturation)}, ${speed})`
        : `the workers do ${speed} with ${percent(cpuSaturation)} of their CPUs`;
  add('few-workers', 'advice', {
    sentence:
      `${present}; ${more} more ${more === 1 ? 'worker' : 'workers'} would finish the waiting ` +
      `${backlogRows.toLocaleString('en')} rows in ${duration(growth.seconds)} instead of ${duration(secondsNow)}`,
    remedy:
      cpuSaturation !== null && cpuSaturation < IDLE_RATIO
        ? 'The present ones use little of their CPUs: look first for other load on their machines, and for a slow Redis or network.'
        : 'Start them where CPUs are free: "embedmill worker" with the same REDIS_URL, or ' +
          `"docker compose up -d --scale worker=${growth.workers}".`,
  });
}

/** What a producer without a problem is doing. */
function describeWork({ activeRuns, backlogRows, rowsPerSecond, workers }: HealthFacts): string {
  const fleet = workers === null ? '' : `${count(workers, 'worker')} connected`;
  if (activeRuns === 0) return asSentence(`${fleet}; no run is active`);
  const speed = `${rate(rowsPerSecond)} rows/s`;
  return asSentence(
    `${fleet}; ${count(activeRuns, 'run')} active, ${backlogRows.toLocaleString('en')} rows wait, ${speed}`,
  );
}

/** What ends a fault of Redis or the disk, as a sentence. */
export function remedyOf({ source, duration: lasts, kind, sentence }: Fault): string {
  const remedy = REMEDIES[kind];
  if (remedy !== undefined) return remedy;
  if (source === 'redis' && sentence === 'Redis is unreachable') return UNREACHABLE_REMEDY;
  return lasts === 'passing' ? PASSING_REMEDY : LASTING_REMEDY;
}

function describeSpace({ diskFault, freeBytes, neededBytes }: HealthFacts): string {
  if (freeBytes === null || !/^(ENOSPC|EDQUOT)$/.test(diskFault?.kind ?? '')) return '';
  const need = neededBytes > 0 ? `; the active runs need about ${bytes(neededBytes)}` : '';
  return `: ${bytes(freeBytes)} free${need}`;
}

/** `1,200 rows wait`. */
const rows = (n: number): string => (n === 1 ? '1 row waits' : `${n.toLocaleString('en')} rows wait`);

/** `1 worker is`, `2 workers are`. */
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? ' is' : 's are'}`;

/** A share as `97 %`. */
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** A rate, with one digit after the point below 10. */
const rate = (n: number): string => n.toLocaleString('en', { maximumFractionDigits: n < 10 ? 1 : 0 });

function asSentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Bytes with one digit after the point and a decimal unit. */
function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = n < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Seconds in the largest unit that gives at least 2, such as `3 min`. */
function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
