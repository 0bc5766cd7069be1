/** What a soak measures twice a second, and what is wrong when it grows. */

/** One look at all processes and at Redis. */
export interface Sample {
  /** Since the first row. */
  seconds: number;
  rowsDone: number;
  producerMb: number;
  /** The largest worker. */
  workerMb: number;
  /** Resident memory of Redis, and what it says it uses. */
  redisMb: number;
  redisUsedMb: number;
  keys: number;
  /** Entries of BullMQ's event stream, and finished batches that wait for the collector. */
  events: number;
  readyEntries: number;
  creditMb: number;
}

/** A measured quantity that has to stay where it is. */
export interface Series {
  field: Exclude<keyof Sample, 'seconds' | 'rowsDone'>;
  title: string;
  /** What it may differ by chance, in its own unit: a heap before its collection, batches on their way. */
  noise: number;
}

/** All of them, in the order of the report. */
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

/** Share of the samples at the start that are left out: processes warm up, Redis fills to its credits. */
const WARM_UP = 0.1;

/** Growth from the first half to the second that is more than chance. */
const MAX_GROWTH = 1.1;

/** How a series went. */
export interface Course {
  /** Medians of the two halves after the warm-up. */
  firstHalf: number;
  secondHalf: number;
  most: number;
}

/** The course of one series over a soak. */
export function courseOf(samples: readonly Sample[], { field }: Series): Course {
  const values = samples.slice(Math.floor(samples.length * WARM_UP)).map((sample) => sample[field]);
  const middle = Math.floor(values.length / 2);
  return {
    firstHalf: median(values.slice(0, middle)),
    secondHalf: median(values.slice(middle)),
    most: Math.max(...samples.map((sample) => sample[field])),
  };
}

/** Series that grew, as sentences; empty when all are flat. */
export function faultsOfGrowth(samples: readonly Sample[]): string[] {
  return SERIES.flatMap((series) => {
    const { firstHalf, secondHalf } = courseOf(samples, series);
    if (secondHalf <= firstHalf * MAX_GROWTH + series.noise) return [];
    return [
      `${series.title}: ${firstHalf.toFixed(1)} in the first half, ${secondHalf.toFixed(1)} in the second`,
    ];
  });
}

/** The courses as a table in Markdown. */
export function tableOf(samples: readonly Sample[]): string {
  const lines = SERIES.map((series) => {
    const { firstHalf, secondHalf, most } = courseOf(samples, series);
    return `| ${[series.title, ...[firstHalf, secondHalf, most].map((value) => value.toFixed(0))].join(' | ')} |`;
  });
  return ['| | first half | second half | most |', '| --- | --: | --: | --: |', ...lines].join('\n');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
