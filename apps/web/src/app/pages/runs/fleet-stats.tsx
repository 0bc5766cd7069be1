/** Figures at the top of the Runs page: speed, queue, threads, Redis, data folder. */

import type { Overview } from '../../api/types.ts';
import { Bar, Sparkline, Stat } from '../../ui/figures.tsx';
import { bytes, count, duration, rate } from '../../ui/format.ts';

/** Used share of the Redis budget that is shown as a warning: uploads will soon have to wait. */
const BUDGET_WARNING = 0.9;

/** Renders the figures of the fleet. */
export function FleetStats({ overview }: { overview: Overview }) {
  const { queues, workers, credits, redis, history, storage } = overview;
  const waiting = queues.reduce((sum, { counts }) => sum + counts.waiting + counts.delayed, 0);
  const active = queues.reduce((sum, { counts }) => sum + counts.active, 0);
  const oldestMs = Math.max(0, ...queues.map(({ oldestWaitingMs }) => oldestWaitingMs));
  const threads = workers.reduce((sum, worker) => sum + worker.threads, 0);
  const busy = workers.reduce((sum, worker) => sum + worker.busyThreads, 0);
  return (
    <div class="stats">
      <Stat name="Speed" value={rate(overview.rowsPerSecond)} unit="rows/s">
        <Sparkline values={history.rowsPerSecond} />
        <span>{rate(overview.tokensPerSecond)} tokens/s; line: 5 minutes</span>
      </Stat>
      <Stat name="Queue" value={count(waiting)} unit={waiting === 1 ? 'batch waiting' : 'batches waiting'}>
        {count(active)} in progress
        {waiting > 0 && <>; the oldest has waited {duration(oldestMs / 1000)}</>}
      </Stat>
      <Stat name="Threads busy" value={`${busy} of ${threads}`}>
        <Bar name="Threads busy" value={busy} whole={threads} />
        {workers.length === 1 ? '1 worker' : `${workers.length} workers`}
      </Stat>
      <Stat name="Redis budget" value={bytes(credits.usedBytes)} unit={`of ${bytes(credits.limitBytes)}`}>
        <Bar
          name="Redis budget used"
          value={credits.usedBytes}
          whole={credits.limitBytes}
          warnAt={BUDGET_WARNING}
        />
        {redis === null ? 'Redis is unreachable' : `Redis uses ${bytes(redis.usedBytes)} in total`}
        {credits.waiting > 0 && <>; {credits.waiting} uploads waiting for space</>}
      </Stat>
      {storage !== null && (
        <Stat name="Data folder" value={bytes(storage.runsBytes + storage.filesBytes)} unit="stored">
          {storage.freeBytes !== null && `${bytes(storage.freeBytes)} free on the disk`}
          {storage.keepRunsDays !== null && (
            <>
              ; runs are kept for {storage.keepRunsDays} {storage.keepRunsDays === 1 ? 'day' : 'days'}
            </>
          )}
        </Stat>
      )}
    </div>
  );
}
