/** Rebuilds the ledger of a damaged run from its rows and shards, offline; for `embedmill runs repair`. */

import { access, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { asError, CorruptError, type PartReceipt, RequestError, type RunOptions } from '@embedmill/contract';
import { createdAtOf } from '../process/disk/age-sorted-id.ts';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { writeSynced } from '../process/disk/write-synced.ts';
import { faultOf } from '../process/faults.ts';
import { digestPayload } from '../redis/batch/payload.ts';
import { peekBatchResult } from '../redis/batch/result.ts';
import { estimateTokens, type KeptRow } from './cut.ts';
import { UNKNOWN_OPTIONS } from './damaged-run.ts';
import { payloadOf } from './dispatch.ts';
import { formatRecord, parseRecord } from './journal.ts';
import type { LedgerBatch, LedgerEntry } from './ledger.ts';
import { creditBytesOf } from './part-writer.ts';
import { digestRows } from './row-log.ts';
import { isOfBatch, LEDGER_FILE, ROWS_FILE, RunFiles, SHARDS_FOLDER } from './run-files.ts';
import { RUN_ID } from './runs.ts';
import { listShards, openShard, readShardEntries, readShardResult, type ShardEntry } from './shards/shard.ts';

/** What was done about one run. */
export interface RepairReport {
  run: string;
  /** `sound`: nothing to do. `repaired`: it opens again. `kept`: it cannot be rebuilt and was left as it is. */
  outcome: 'sound' | 'repaired' | 'kept';
  /** What was found and done, one sentence each. */
  notes: string[];
}

/** Which runs, and how. */
export interface RepairOptions extends AppendedFileDeps {
  dataDir: string;
  /** Only this run. Default: all runs. */
  run?: string | undefined;
  /** States that all rows of the run are on disk, if its ledger no longer tells whether it was sealed. */
  seal?: boolean | undefined;
}

/**
 * Repairs runs whose files are damaged. The caller owns the data folder. Nothing is deleted: files that are replaced get the
 * suffix `.damaged-<n>`.
 * @throws {RequestError} `unknown-run`
 * @throws the error of the file system
 */
export async function* repairRuns(options: RepairOptions): AsyncGenerator<RepairReport> {
  const folder = join(options.dataDir, 'runs');
  const ids = (await readdir(folder)).filter((name) => RUN_ID.test(name)).sort();
  if (options.run !== undefined && !ids.includes(options.run))
    throw new RequestError('unknown-run', `there is no run ${JSON.stringify(options.run)} in ${folder}`);
  for (const id of options.run === undefined ? ids : [options.run]) {
    yield await repairRun(join(folder, id), id, options);
  }
}

async function repairRun(folder: string, run: string, options: RepairOptions): Promise<RepairReport> {
  const damage = await damageOf(folder, options);
  if (damage === null) return { run, outcome: 'sound', notes: [] };
  const notes = [damage];
  try {
    const shards = await surveyShards(join(folder, SHARDS_FOLDER), notes);
    const found = await readRecords(join(folder, LEDGER_FILE));
    const rebuilt = await rebuildBatches(join(folder, ROWS_FILE), found, notes);
    const entries = rebuildEntries({ run, found, ...rebuilt, shards, seal: options.seal === true, notes });
    options.assertWritable();
    for (const path of shards.damaged) await setAside(path, notes);
    const draft = join(folder, `${LEDGER_FILE}.rebuilt`);
    await setAside(draft, notes);
    await writeSynced(draft, Buffer.from(entries.map(formatRecord).join('')));
    await setAside(join(folder, LEDGER_FILE), notes);
    await rename(draft, join(folder, LEDGER_FILE));
    await syncFolder(folder);
    return { run, outcome: 'repaired', notes };
  } catch (error) {
    if (!(error instanceof Irreparable)) throw error;
    return { run, outcome: 'kept', notes: [...notes, error.message] };
  }
}

/** Why a run cannot be rebuilt without a guess. */
class Irreparable extends Error {}

/** What is damaged; `null` if the run opens, its results are whole and it did not fail. @throws a passing fault of the disk */
async function damageOf(folder: string, deps: AppendedFileDeps): Promise<string | null> {
  try {
    const { ledger, shards } = await RunFiles.open(folder, deps);
    if (ledger.state === 'failed') return `the run failed: ${ledger.ended?.error}`;
    for (const batch of ledger.batches.keys()) {
      const result = await shards.read(batch);
      if (result !== null) peekBatchResult(result);
    }
    const missing = ledger.batches.filter(
      (_, batch) => !shards.has(batch) && !ledger.droppedBatches.has(batch),
    ).length;
    return ledger.state === 'completed' && missing > 0
      ? `${missing} batches of the completed run are in no shard`
      : null;
  } catch (error) {
    if (!(error instanceof CorruptError) && faultOf(error).duration === 'passing') throw error;
    return asError(error).message;
  }
}

interface Shards {
  entries: ShardEntry[];
  /** Header of the first result. */
  model: { dim: number; fingerprint: string; precision: RunOptions['precision'] } | null;
  /** Paths of the shards that cannot be read. */
  damaged: string[];
}

/** A shard with one damaged result counts as damaged: its batches are embedded again from their rows. */
async function surveyShards(folder: string, notes: string[]): Promise<Shards> {
  const shards: Shards = { entries: [], model: null, damaged: [] };
  for (const name of (await listShards(folder)).shards) {
    const path = join(folder, name);
    const file = await openShard(path);
    try {
      const entries = await readShardEntries(file, path);
      for (const entry of entries) shards.model ??= peekBatchResult(await readShardResult(file, path, entry));
      for (const entry of entries) peekBatchResult(await readShardResult(file, path, entry));
      shards.entries.push(...entries);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      notes.push(error.message);
      shards.damaged.push(path);
    } finally {
      await file.close();
    }
  }
  return shards;
}

interface FoundRecords {
  entries: LedgerEntry[];
  /** The same entries, with `null` in the place of each damaged line. */
  lines: (LedgerEntry | null)[];
  /** Whether records were lost. */
  isIncomplete: boolean;
}

/** Every record of a ledger that is whole, also after damage. */
async function readRecords(path: string): Promise<FoundRecords> {
  const bytes = await readFile(path).catch((error) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const lines: (LedgerEntry | null)[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    lines.push((end < 0 ? undefined : parseRecord<LedgerEntry>(line)) ?? null);
    start += line.length + 1;
  }
  const entries = lines.filter((entry) => entry !== null);
  return { entries, lines, isIncomplete: bytes.length === 0 || entries.length < lines.length };
}

interface RebuiltBatches {
  batches: LedgerBatch[];
  /** Dropped parts, each with the number of batches that were written before it was dropped. */
  drops: { part: number; before: number }[];
  /** Numbers of the batches that belong to dropped parts. */
  dropped: ReadonlySet<number>;
  /** Whether the part of every batch is certain. */
  arePartsKnown: boolean;
}

/** All batches in the order of the row log: those of the ledger, and between them those that only the row log has. */
async function rebuildBatches(
  path: string,
  { entries: records, lines }: FoundRecords,
  notes: string[],
): Promise<RebuiltBatches> {
  const bytes = await readFile(path).catch((error) => {
    if (error.code === 'ENOENT')
      throw new Irreparable(`${path} is missing, and with it the ids and texts of the rows`);
    throw error;
  });
  const known = new Map(
    records.flatMap((entry) => (entry.type === 'batch' ? [[entry.batch.span.offset, entry.batch]] : [])),
  );
  const options = records.find((entry) => entry.type === 'created')?.options ?? UNKNOWN_OPTIONS;
  const batches: LedgerBatch[] = [];
  let rebuilt = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const given = known.get(offset);
    const end = given === undefined ? bytes.indexOf(0x0a, offset) + 1 : offset + given.span.bytes;
    const encoded = bytes.subarray(offset, end);
    if (given !== undefined && crc32(encoded) === given.span.crc) batches.push(given);
    else {
      const rows = end === 0 ? null : parseRows(encoded);
      if (rows === null) break;
      const part = batches.at(-1)?.part ?? firstPart(records);
      batches.push(batchOf(rows, encoded, { part, offset, long: options.long }));
      rebuilt += 1;
    }
    offset = end;
  }
  if ([...known.keys()].some((start) => start >= offset))
    throw new Irreparable(`${path} is damaged at byte ${offset}, before rows that the ledger knows`);
  if (offset < bytes.length)
    notes.push(`${bytes.length - offset} bytes at the end of ${path} are no whole batch and do not count`);
  if (rebuilt > 0)
    notes.push(`${rebuilt} batches were rebuilt from ${path}; each is in the part of the batch before it`);
  const drops = placeDrops(lines, batches);
  const dropped = new Set(
    drops.flatMap(({ part, before }) =>
      batches.slice(0, before).flatMap((batch, number) => (batch.part === part ? [number] : [])),
    ),
  );
  const kept = batches.filter((_, number) => !dropped.has(number));
  const arePartsKnown = rebuilt === 0 || (drops.length === 0 && haveOnePart(records, kept));
  return { batches, drops, dropped, arePartsKnown };
}

/** Finds the place of each dropped part among the batches: a damaged line counts as a batch that was rebuilt, if one fits. */
function placeDrops(
  lines: readonly (LedgerEntry | null)[],
  batches: readonly LedgerBatch[],
): RebuiltBatches['drops'] {
  const known = new Set(lines.flatMap((entry) => (entry?.type === 'batch' ? [entry.batch.span.offset] : [])));
  const drops: RebuiltBatches['drops'] = [];
  let before = 0;
  for (const entry of lines) {
    if (entry?.type === 'dropped') drops.push({ part: entry.part, before });
    else if (entry?.type === 'batch')
      before = 1 + batches.findIndex(({ span }) => span.offset === entry.batch.span.offset);
    else if (entry === null && before < batches.length && !known.has(batches[before]!.span.offset))
      before += 1;
  }
  return drops;
}

/** Whether all batches can only be of one part, which is not complete without those that were rebuilt. */
function haveOnePart(records: readonly LedgerEntry[], batches: readonly LedgerBatch[]): boolean {
  const receipts = receiptsOf(records);
  const parts = new Set([...batches.map(({ part }) => part), ...receipts.map(({ part }) => part)]);
  return parts.size <= 1 && receipts.every(({ accepted }) => accepted === rowsOf(batches));
}

function receiptsOf(records: readonly LedgerEntry[]): PartReceipt[] {
  return records.flatMap((entry) => (entry.type === 'part' ? [entry.receipt] : []));
}

function rowsOf(batches: readonly LedgerBatch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows, 0);
}

function firstPart(records: readonly LedgerEntry[]): number {
  const parts = records.flatMap((entry) =>
    entry.type === 'batch' ? [entry.batch.part] : entry.type === 'part' ? [entry.receipt.part] : [],
  );
  return Math.min(...parts, Number.POSITIVE_INFINITY) === Number.POSITIVE_INFINITY ? 0 : Math.min(...parts);
}

function parseRows(encoded: Buffer): KeptRow[] | null {
  try {
    const rows = JSON.parse(encoded.toString());
    return Array.isArray(rows) && rows.length > 0 && rows.every(Array.isArray) ? (rows as KeptRow[]) : null;
  } catch {
    return null;
  }
}

function batchOf(
  rows: KeptRow[],
  encoded: Buffer,
  { part, offset, long }: { part: number; offset: number; long: RunOptions['long'] },
): LedgerBatch {
  const payload = payloadOf(rows);
  return {
    part,
    rows: rows.length,
    bad: rows.filter((row) => row[2] === null).length,
    tokens: rows.reduce((sum, row) => sum + (row[2] === null ? 0 : estimateTokens(row[2], long)), 0),
    creditBytes: creditBytesOf(payload, rows.length),
    digest: digestRows(encoded),
    payloadDigest: digestPayload(payload),
    span: { offset, bytes: encoded.byteLength, crc: crc32(encoded) },
  };
}

interface Findings extends RebuiltBatches {
  run: string;
  found: FoundRecords;
  shards: Shards;
  seal: boolean;
  notes: string[];
}

/** The new ledger. @throws {Irreparable} */
function rebuildEntries({
  run,
  found,
  batches,
  drops,
  dropped,
  arePartsKnown,
  shards,
  seal,
  notes,
}: Findings): LedgerEntry[] {
  const { entries: records, isIncomplete } = found;
  const kept = batches.filter((_, number) => !dropped.has(number));
  const stored = new Set(
    shards.entries
      .filter((entry) => isOfRebuilt(entry, batches[entry.batch]) && !dropped.has(entry.batch))
      .map(({ batch }) => batch),
  );
  const rows = rowsOf(kept);
  notes.push(`${rows} rows in ${kept.length} batches are on disk, ${stored.size} of them with their vectors`);
  if (dropped.size > 0)
    notes.push(`${dropped.size} further batches are of parts that were dropped; they do not count`);
  const last = <Type extends LedgerEntry['type']>(type: Type) =>
    records.findLast((entry): entry is Extract<LedgerEntry, { type: Type }> => entry.type === type);
  const ended = last('ended');
  const wasSealed = last('sealed') !== undefined || ended?.state === 'completed';
  if (!arePartsKnown && !wasSealed && !seal) {
    throw new Irreparable(
      `the ledger no longer tells of which part some rows are, so that sending parts again could double them; if these ${rows} ` +
        'rows are all of them, repair it with --seal',
    );
  }
  if (isIncomplete && !seal) assertNoneDropped(records, kept, { wasSealed, arePartsKnown });
  let created = last('created');
  if (created === undefined) {
    if (stored.size < kept.length) {
      throw new Irreparable(
        `the options of the run are lost, and ${kept.length - stored.size} batches have no vectors: other options could ` +
          'mix vectors that must not be compared',
      );
    }
    if (!seal && !wasSealed) {
      throw new Irreparable(
        `the options of the run are lost, so that it cannot accept more rows; if these ${rows} rows are all of them, ` +
          'repair it with --seal',
      );
    }
    const precision = shards.model?.precision ?? UNKNOWN_OPTIONS.precision;
    created = {
      type: 'created',
      id: run,
      at: createdAtOf(run.slice(1)),
      options: { ...UNKNOWN_OPTIONS, precision },
    };
    notes.push('the options of the run are lost; they are shown as those of the model "unknown"');
  }
  const model =
    last('model') ??
    (shards.model &&
      ({ type: 'model', dim: shards.model.dim, fingerprint: shards.model.fingerprint } as const));
  const dropsAt = (number: number): LedgerEntry[] =>
    drops.filter(({ before }) => before === number).map(({ part }) => ({ type: 'dropped', part }));
  // What shards of an older version say of a rebuilt batch is checked by its number of rows only.
  const withDigest = new Set(
    shards.entries.filter(({ digest }) => digest !== undefined).map(({ batch }) => batch),
  );
  const marked = batches.flatMap((batch, number): LedgerEntry[] => {
    const { payloadDigest: _, ...old } = batch;
    return [
      ...dropsAt(number),
      { type: 'batch', batch: stored.has(number) && !withDigest.has(number) ? old : batch },
    ];
  });
  const entries: LedgerEntry[] = [created, ...marked, ...dropsAt(batches.length)];
  entries.push(...records.filter((entry) => entry.type === 'part'));
  if (model) entries.push(model);
  if (wasSealed || seal) entries.push({ type: 'sealed', at: last('sealed')?.at ?? Date.now() });
  else if (isIncomplete)
    notes.push(
      'whether the run was sealed is not known: it is open; send its parts again and seal it, or repair it with --seal',
    );
  if (
    records.findLastIndex(({ type }) => type === 'retry') >
    records.findLastIndex(({ type }) => type === 'ended')
  )
    notes.push(
      'a retry of failed rows was in progress; they keep their earlier verdict and can be retried again',
    );
  const isWhole = stored.size === kept.length;
  if (ended?.state === 'cancelled' || (ended?.state === 'completed' && isWhole)) entries.push(ended);
  else if ((wasSealed || seal) && !isWhole)
    notes.push(`${kept.length - stored.size} batches will be embedded again`);
  return entries;
}

/**
 * Checks that no lost record can be that of a dropped part, whose rows would come back.
 * @param kept batches of parts that were not dropped, according to the records
 * @throws {Irreparable}
 */
function assertNoneDropped(
  records: readonly LedgerEntry[],
  kept: readonly LedgerBatch[],
  { wasSealed, arePartsKnown }: { wasSealed: boolean; arePartsKnown: boolean },
): void {
  const receipts = new Map(receiptsOf(records).map((receipt) => [receipt.part, receipt]));
  for (const part of new Set(kept.map((batch) => batch.part))) {
    const rows = rowsOf(kept.filter((batch) => batch.part === part));
    const accepted = receipts.get(part)?.accepted;
    // Every part of a sealed run is complete or was dropped. Of an open one, an incomplete part can be sent again or dropped.
    const isKnown =
      accepted === undefined ? !wasSealed : accepted === rows || (!arePartsKnown && accepted > rows);
    if (isKnown) continue;
    throw new Irreparable(
      `the ledger has lost records and no longer tells whether rows of part ${part} were dropped; if the ${rows} rows of it on ` +
        'disk all belong to the run, repair it with --seal',
    );
  }
}

/** As `isOfBatch`, for a batch whose entry may have been rebuilt although its shard is of an older version. */
function isOfRebuilt(entry: ShardEntry, batch: LedgerBatch | undefined): boolean {
  if (entry.digest !== undefined || batch === undefined) return isOfBatch(entry, batch);
  return entry.summary.rows === batch.rows;
}

/** Renames a file, if it exists, to `<name>.damaged-<n>` with the first free number. */
async function setAside(path: string, notes: string[]): Promise<void> {
  if (!(await exists(path))) return;
  for (let number = 1; ; number++) {
    const aside = `${path}.damaged-${number}`;
    if (await exists(aside)) continue;
    await rename(path, aside);
    notes.push(`${path} was kept as ${aside}`);
    return;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
