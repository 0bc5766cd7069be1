/** The export of one finished run as a tar file with checksums, and its import into a draft folder. */

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CorruptError, quote, type RunState, UnavailableError } from '@embedmill/contract';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { writeSynced } from '../process/disk/write-synced.ts';
import { formatRecord, parseRecord } from './journal.ts';
import type { LedgerEntry } from './ledger.ts';
import { assertUnused } from './retention.ts';
import type { Run } from './run.ts';
import { GLOSSARY_FILE, LEDGER_FILE, ROWS_FILE, SHARDS_FOLDER } from './run-files.ts';
import { ANALYSIS_FILE, TOPIC_NAMES_FILE } from './stored-analysis.ts';
import { readTar, type TarEntry, type TarFile, tarBytes, writeTar } from './tar.ts';

/** First file of an export: what the others are. */
const DESCRIPTION_FILE = 'run.json';
/** Last file of an export, for `sha256sum --check`. */
const CHECKSUMS_FILE = 'SHA256SUMS';

const FORMAT = 'embedmill-run';
const VERSION = 1;

const CHUNK_BYTES = 256 * 1024;
const MAX_DESCRIPTION_BYTES = 64 * 1024;
const MAX_CHECKSUMS_BYTES = 64 * 1024 * 1024;

/** Memory in which an export is made or an import is written, besides the ledger. */
export const ARCHIVE_MEMORY_BYTES = 4 * CHUNK_BYTES;

/** Content of `run.json`. */
interface RunDescription {
  format: typeof FORMAT;
  version: number;
  run: string;
  name: string | null;
  state: RunState;
  rows: number;
  /** Sum of the sizes of the other files, without the checksums. */
  bytes: number;
}

/** An export as bytes. */
export interface RunExport {
  /** Size of the tar file. */
  bytes: number;
  chunks: AsyncIterable<Uint8Array>;
}

/**
 * Exports a run that has ended and that the caller holds. The same run gives the same bytes. A retry that starts in the
 * meantime is not in the file: the files of a run only grow.
 * @throws {RequestError} `run-not-finished`
 */
export async function exportRun(run: Run): Promise<RunExport> {
  assertUnused({ ...describe(run), isHeld: false });
  const { files } = run;
  const contents = await files.list();
  const { options, rows } = run.info();
  const description: RunDescription = {
    format: FORMAT,
    version: VERSION,
    run: run.id,
    name: options.name,
    state: run.state,
    rows: rows.accepted,
    bytes: contents.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const head = Buffer.from(`${JSON.stringify(description, null, 2)}\n`);
  const sizes = [head.byteLength, ...contents.map(({ bytes }) => bytes)];
  const names = [DESCRIPTION_FILE, ...contents.map(({ name }) => name)];
  const sumsBytes = names.reduce((sum, name) => sum + checksumLine('0'.repeat(64), name).length, 0);
  async function* tarFiles(): AsyncGenerator<TarFile> {
    const sums: string[] = [];
    const hashed = (
      name: string,
      bytes: number,
      source: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    ) => ({
      name,
      bytes,
      async *content() {
        const sha256 = createHash('sha256');
        for await (const chunk of source()) {
          sha256.update(chunk);
          yield chunk;
        }
        sums.push(checksumLine(sha256.digest('hex'), name));
      },
    });
    yield hashed(DESCRIPTION_FILE, head.byteLength, () => [head]);
    for (const { name, path, bytes, content } of contents)
      yield hashed(name, bytes, () => (content === undefined ? readStart(path, bytes) : [content]));
    yield { name: CHECKSUMS_FILE, bytes: sumsBytes, content: () => [Buffer.from(sums.join(''))] };
  }
  return { bytes: tarBytes([...sizes, sumsBytes]), chunks: writeTar(tarFiles()) };
}

function describe({ id, state, isActive }: Run) {
  return { id, state, isActive };
}

function checksumLine(sha256: string, name: string): string {
  return `${sha256}  ${name}\n`;
}

async function* readStart(path: string, bytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (let at = 0; at < bytes; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - at));
      const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, at);
      if (bytesRead === 0) throw new CorruptError('corrupt-files', `${path} is shorter than ${bytes} bytes`);
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** What an import needs to know before it writes. */
export interface ImportTarget {
  /** Id for the imported run; may throw. @param given the id in the export */
  idFor: (given: string) => string;
  /** Folder to write to; must not exist. @param id from `idFor` */
  draftOf: (id: string) => string;
}

/** A draft that was written from an export. */
export interface ImportedDraft {
  id: string;
  draft: string;
}

/**
 * Writes the files of an export to a draft folder, compares them with their checksums and gives the ledger the id of the
 * imported run. What is in the files is not checked here. After a failure, the draft may exist.
 * @throws {CorruptError} `corrupt-export`, `corrupt-tar`
 * @throws {UnavailableError} `disk-full`
 */
export async function writeImport(
  source: AsyncIterable<Uint8Array>,
  { idFor, draftOf }: ImportTarget,
  deps: AppendedFileDeps,
): Promise<ImportedDraft> {
  const entries = readTar(source);
  try {
    const first = await entries.next();
    if (first.done === true || first.value.name !== DESCRIPTION_FILE)
      throw corrupt(`its first file is not ${DESCRIPTION_FILE}`);
    const head = await readSmall(first.value, MAX_DESCRIPTION_BYTES);
    const description = parseDescription(head);
    const id = idFor(description.run);
    const draft = draftOf(id);
    await assertRoom(dirname(draft), description.bytes);
    deps.assertWritable();
    await mkdir(draft, { mode: 0o700 });
    await mkdir(join(draft, SHARDS_FOLDER), { mode: 0o700 });
    const sums = new Map([[DESCRIPTION_FILE, createHash('sha256').update(head).digest('hex')]]);
    let stated: Map<string, string> | null = null;
    for await (const entry of entries) {
      if (stated !== null) throw corrupt(`${quote(entry.name, 100)} follows ${CHECKSUMS_FILE}`);
      if (entry.name === CHECKSUMS_FILE) {
        stated = parseChecksums(await readSmall(entry, MAX_CHECKSUMS_BYTES));
        continue;
      }
      if (!isRunFile(entry.name) || sums.has(entry.name))
        throw corrupt(`${quote(entry.name, 100)} is not a file of a run, or is twice in it`);
      sums.set(entry.name, await writeEntry(join(draft, entry.name), entry, deps));
    }
    if (stated === null) throw corrupt(`it lacks ${CHECKSUMS_FILE}`);
    compareChecksums(sums, stated);
    await adoptLedger(join(draft, LEDGER_FILE), { given: description.run, id }, deps);
    await syncFolder(join(draft, SHARDS_FOLDER));
    await syncFolder(draft);
    return { id, draft };
  } finally {
    await entries.return(undefined);
  }
}

function isRunFile(name: string): boolean {
  const files = [LEDGER_FILE, ROWS_FILE, GLOSSARY_FILE, ANALYSIS_FILE, TOPIC_NAMES_FILE];
  return files.includes(name) || /^shards\/\d{8}\.shard$/.test(name);
}

async function readSmall({ name, bytes, content }: TarEntry, maxBytes: number): Promise<Buffer> {
  if (bytes > maxBytes) throw corrupt(`${name} has ${bytes} bytes, expected at most ${maxBytes}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseDescription(bytes: Buffer): RunDescription {
  let given: Partial<RunDescription>;
  try {
    given = Object(JSON.parse(bytes.toString()));
  } catch {
    throw corrupt(`${DESCRIPTION_FILE} is not JSON`);
  }
  if (given.format !== FORMAT) throw corrupt(`${DESCRIPTION_FILE} is not the description of a run`);
  if (given.version !== VERSION)
    throw corrupt(`it has version ${quote(given.version)}; this producer reads version ${VERSION}`);
  if (typeof given.run !== 'string' || !Number.isSafeInteger(given.bytes))
    throw corrupt(`${DESCRIPTION_FILE} lacks the id of the run or its size`);
  return given as RunDescription;
}

/** Fails at once instead of after hours, when the disk is full. */
async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new UnavailableError('disk-full', `the run has ${bytes} bytes, but ${free} are free on the disk`, {
    facts: { neededBytes: bytes, freeBytes: free },
  });
}

function parseChecksums(bytes: Buffer): Map<string, string> {
  const lines = bytes.toString().split('\n').slice(0, -1);
  return new Map(
    lines.map((line): [string, string] => {
      const { sha256, name } = /^(?<sha256>[0-9a-f]{64}) {2}(?<name>.+)$/.exec(line)?.groups ?? {};
      if (sha256 === undefined || name === undefined) throw corrupt(`${CHECKSUMS_FILE} cannot be read`);
      return [name, sha256];
    }),
  );
}

function compareChecksums(found: ReadonlyMap<string, string>, stated: ReadonlyMap<string, string>): void {
  for (const [name, sha256] of stated) {
    if (!found.has(name)) throw corrupt(`it lacks ${quote(name, 100)}`);
    if (found.get(name) !== sha256) throw corrupt(`the checksum of ${quote(name, 100)} does not match`);
  }
  for (const name of found.keys())
    if (!stated.has(name)) throw corrupt(`${quote(name, 100)} has no checksum`);
}

/** Writes a file that survives a power cut. @returns its SHA-256 in hexadecimal */
async function writeEntry(path: string, { content }: TarEntry, deps: AppendedFileDeps): Promise<string> {
  const sha256 = createHash('sha256');
  deps.assertWritable();
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) {
      deps.assertWritable();
      sha256.update(chunk);
      for (let written = 0; written < chunk.byteLength; )
        written += (await file.write(chunk, written)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return sha256.digest('hex');
}

/**
 * Gives the ledger another id, and records the import. The request key is left out: its client is one of the other
 * producer.
 */
async function adoptLedger(
  path: string,
  { given, id }: { given: string; id: string },
  deps: AppendedFileDeps,
): Promise<void> {
  const bytes = await readFile(path).catch(() => {
    throw corrupt(`it lacks ${LEDGER_FILE}`);
  });
  const end = bytes.indexOf(0x0a);
  const created = end < 0 ? undefined : parseRecord<LedgerEntry>(bytes.subarray(0, end));
  if (created?.type !== 'created' || created.id !== given)
    throw corrupt(`${LEDGER_FILE} is not the ledger of run ${quote(given, 40)}`);
  const { requestKey: _, ...kept } = created;
  const added: LedgerEntry[] = [{ type: 'forgotten' }, { type: 'imported', at: Date.now() }];
  deps.assertWritable();
  await rm(path);
  await writeSynced(
    path,
    Buffer.concat([
      Buffer.from(formatRecord({ ...kept, id })),
      bytes.subarray(end + 1),
      Buffer.from(added.map(formatRecord).join('')),
    ]),
  );
}

function corrupt(why: string): CorruptError {
  return new CorruptError('corrupt-export', why);
}
