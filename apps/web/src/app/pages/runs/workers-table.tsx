/** Table of the connected workers with the load of their threads and cores. */

import type { WorkerReport } from '../../api/types.ts';
import { Breakable } from '../../ui/breakable.tsx';
import { Bar } from '../../ui/figures.tsx';
import { bytes, count, moment } from '../../ui/format.ts';

/** Renders the table of workers. */
export function WorkersTable({ workers }: { workers: readonly WorkerReport[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Threads busy</th>
            <th scope="col">CPU</th>
            <th scope="col" class="number wide-only">
              Batches queued
            </th>
            <th scope="col" class="number wide-only">
              Memory
            </th>
            <th scope="col" class="wide-only">
              Since
            </th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker.id}>
              <th scope="row">
                <Breakable name={worker.host} />
                <span class="soft small block">
                  <Breakable name={worker.model} />
                  {worker.engine === undefined ? '' : `, ${worker.engine}`}
                  {worker.otherModels?.map(({ name }) => `; ${name}`)}
                </span>
              </th>
              <td>
                {worker.busyThreads} of {worker.threads}
                <Bar
                  name={`Threads busy at ${worker.id}`}
                  value={worker.busyThreads}
                  whole={worker.threads}
                />
              </td>
              <td>
                {count((100 * Math.min(worker.usedCores, worker.quotaCores)) / worker.quotaCores)} %
                <span class="soft wide-only"> of {worker.quotaCores} cores</span>
                <Bar name={`CPU of ${worker.id}`} value={worker.usedCores} whole={worker.quotaCores} />
              </td>
              <td class="number wide-only">{worker.waitingBatches}</td>
              <td class="number wide-only">{bytes(worker.memoryBytes)}</td>
              <td class="soft nowrap wide-only">{moment(worker.startedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
