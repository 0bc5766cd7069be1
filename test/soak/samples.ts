/** The quantities that a soak measures twice per second, and the check that none of them grows. */

/** One measurement of all processes and Redis. */
export interface Sample {
  /** Since the first row. */
  seconds: number;
  rowsDone: number;
  producerMb: number;
  /** Resident memory of the largest worker. */
  workerMb: number;
  /** Resident memory of Redis, and its `used_memory`. */
  redisMb: number;
  redisUsedMb: number;
  keys: number;
  /** Entries of BullMQ's event stream, and of the ready stream. */
  events: number;
  readyEntries: number;
  creditMb: number;
}

/** A measured quantity that must not grow. */
export interface Series {
  field: Exclude<keyof Sample, 'seconds' | 'rowsDone'>;
  title: string;
  /** Random variation, in its own unit: a heap before garbage collection, batches in transit. */
  noise: number;
}

/** All series, in the order of the report. */
export const SERIES: readonly Series[] = [
  { field: 'producerMb', title: 'producer, resident MB', noise: 24 },
  { field: 'workerMb', title: 'largest worker, resident MB', noise: 24 },
  { field: 'redisMb', title: 'Redis, resident MB', noise: 24 },
  { field: 'redisUsedMb', title: 'Redis, used_memory MB', noise: 16 },
  { field: 'keys', title: 'Redis, keys', noise: 150 },
  { field: 'events', title: "entries of the queue's event stream", noise: 100 },
  { field: 'readyEntries', title: 'finished batches not yet stored', noise: 50 },
  { field: 'creditMb', title: 'credit in use, MB', noise: 16 },
];

/** Share of the samples at the start that is ignored: processes warm up, Redis fills up to the credits. */
const WARM_UP = 0.1;

/** Maximum ratio of the second half to the first that counts as random. */
const MAX_GROWTH = 1.1;

/** Summary of one series. */
export interface Course {
  /** Medians of the two halves after the warm-up. */
  firstHalf: number;
  secondHalf: number;
  max: number;
}

/** Summarizes one series over a soak. */
export function courseOf(samples: readonly Sample[], { field }: Series): Course {
  const values = samples.slice(Math.floor(samples.length * WARM_UP)).map((sample) => sample[field]);
  const middle = Math.floor(values.length / 2);
  return {
    firstHalf: median(values.slice(0, middle)),
    secondHalf: median(values.slice(middle)),
    max: Math.max(...samples.map((sample) => sample[field])),
  };
}

/** Series that grew, as sentences; empty when none did. */
export function faultsOfGrowth(samples: readonly Sample[]): string[] {
  return SERIES.flatMap((series) => {
    const { firstHalf, secondHalf } = courseOf(samples, series);
    if (secondHalf <= firstHalf * MAX_GROWTH + series.noise) return [];
    return [
      `${series.title}: ${firstHalf.toFixed(1)} in the first half, ${secondHalf.toFixed(1)} in the second`,
    ];
  });
}

/** All summaries as a Markdown table. */
export function tableOf(samples: readonly Sample[]): string {
  const lines = SERIES.map((series) => {
    const { firstHalf, secondHalf, max } = courseOf(samples, series);
    return `| ${[series.title, ...[firstHalf, secondHalf, max].map((value) => value.toFixed(0))].join(' | ')} |`;
  });
  return ['| | first half | second half | maximum |', '| --- | --: | --: | --: |', ...lines].join('\n');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
