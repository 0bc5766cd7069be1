/** Checks before a run that several producers compute the same vectors. */

import { ApiError, type EmbedmillClient, type WorkerModel } from '@embedmill/client';
import { EmbedmillError } from '@embedmill/contract';
import { producersDiffer } from './combine-runs.ts';

/** A producer to check. */
interface Checked {
  /** Its URL in messages. */
  server: string;
  client: Pick<EmbedmillClient, 'getVersion' | 'getWorkers'>;
}

/** @throws {EmbedmillError} `producers-differ` if two producers have different versions */
export async function assertSameVersion(producers: readonly Checked[]): Promise<void> {
  const versions = await Promise.all(producers.map(({ client }) => client.getVersion()));
  const other = versions.findIndex((version) => version !== versions[0]);
  if (other === -1) return;
  throw producersDiffer(
    'the version',
    [producers[0]?.server ?? '', versions[0] ?? ''],
    [producers[other]?.server ?? '', versions[other] ?? ''],
  );
}

/**
 * Compares the connected workers. A producer without workers of the model is checked by its first result.
 * @throws {EmbedmillError} `producers-differ` if two producers have no fingerprint of the model in common
 */
export async function assertSameWorkers(producers: readonly Checked[], model: string): Promise<void> {
  const found = await Promise.all(
    producers.map(async ({ server, client }) => ({
      server,
      fingerprints: await fingerprintsOf(client, server, model),
    })),
  );
  const known = found.filter(({ fingerprints }) => fingerprints.length > 0);
  const [first] = known;
  const other = known.find(
    ({ fingerprints }) => !fingerprints.some((fingerprint) => first?.fingerprints.includes(fingerprint)),
  );
  if (first === undefined || other === undefined) return;
  throw producersDiffer(
    `the fingerprint of ${model} on the workers`,
    [first.server, first.fingerprints.join(', ')],
    [other.server, other.fingerprints.join(', ')],
  );
}

async function fingerprintsOf(client: Checked['client'], server: string, model: string): Promise<string[]> {
  const workers = await client.getWorkers().catch((error): WorkerModel[] => {
    if (!(error instanceof ApiError)) throw error;
    throw new EmbedmillError(
      'producer-refuses',
      `${server} does not list its workers: ${error.message} (${error.status})`,
      {
        cause: error,
      },
    );
  });
  const named = workers.filter((worker) => worker.model === model).map(({ fingerprint }) => fingerprint);
  return [...new Set(named)];
}
