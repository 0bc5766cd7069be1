/**
 * The analysis of a run on disk: one file with a JSON header and arrays, and one with the names that users gave topics.
 *
 * The analysis can be computed again, so a file that is damaged, of another version or of an earlier end of the run counts
 * as missing. Names are kept by the rows of their topic: they stay when the same topics are found again.
 */

import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  MAX_TOPIC_NAME_CHARS,
  type RunDuplicates,
  type RunTopic,
  type RunTopicGroup,
} from '@embedmill/contract';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { removeLeftovers } from '../process/disk/remove-leftovers.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { writeSynced } from '../process/disk/write-synced.ts';

/** File of the analysis in the folder of a run. */
export const ANALYSIS_FILE = 'analysis.bin';
/** File of the names of topics. */
export const TOPIC_NAMES_FILE = 'topic-names.json';

const MAGIC = 'EMANALYS';
const VERSION = 1;
/** Magic string, version, bytes of the header, rows, CRC-32 of all that follows. */
const PREFIX_BYTES = MAGIC.length + 4 * 4;
const DRAFT_SUFFIX = '.draft';

/** A topic as it is stored: without the name that a user may have given it. */
export interface StoredTopic extends Omit<RunTopic, 'isRenamed'> {
  /** Identifies the topic by its rows: 24 hexadecimal digits. */
  key: string;
}

/** What is stored of an analysis besides the arrays. */
export interface AnalysisHeader {
  /** When the run ended: a retry ends it again, with other vectors. */
  endedAt: string | null;
  /** Number of topics that was asked for; `null` if it was chosen. */
  requestedTopics: number | null;
  steps: { name: string; seconds: number }[];
  topics: StoredTopic[];
  groups: RunTopicGroup[];
  duplicates: RunDuplicates;
}

/** The analysis of a run of `rows` rows. */
export interface StoredAnalysis {
  header: AnalysisHeader;
  /** x and y of each row, interleaved: 2 × rows; NaN without a vector. */
  places: Float32Array;
  /** Cosine similarity of each row to the centroid of its topic; NaN without a vector. */
  scores: Float32Array;
  /** Topic of each row; −1 without a vector. */
  topicOf: Int16Array;
}

/** The analysis in the folder of one run. Calls of the two writing methods may overlap. */
export class AnalysisFiles {
  readonly #folder: string;
  readonly #deps: AppendedFileDeps;
  #bytes: number;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, bytes: number, deps: AppendedFileDeps) {
    this.#folder = folder;
    this.#bytes = bytes;
    this.#deps = deps;
  }

  /** Opens the files of a folder; nothing is read or written. */
  static async open(folder: string, deps: AppendedFileDeps): Promise<AnalysisFiles> {
    return new AnalysisFiles(folder, await sizeOf(folder), deps);
  }

  /** Size of the files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The files that exist, with their content: unlike the other files of a run, they are replaced. */
  async contents(): Promise<{ name: string; path: string; content: Buffer }[]> {
    const found = await Promise.all(
      FILES.map(async (name) => {
        const content = await this.#content(name);
        return content === null ? [] : [{ name, path: join(this.#folder, name), content }];
      }),
    );
    return found.flat();
  }

  /** Changes with the stored analysis; `null` if there is none. */
  async stamp(): Promise<string | null> {
    return await stat(join(this.#folder, ANALYSIS_FILE)).then(
      ({ size, mtimeMs, ino }) => `${size} ${mtimeMs} ${ino}`,
      () => null,
    );
  }

  /** The stored analysis; `null` if there is none that this version can read. */
  async read(): Promise<StoredAnalysis | null> {
    const bytes = await this.#content(ANALYSIS_FILE);
    return bytes === null ? null : decodeAnalysis(bytes);
  }

  /** Replaces the stored analysis; when it resolves, it survives a power cut. */
  async write(analysis: StoredAnalysis): Promise<void> {
    await this.#replace(ANALYSIS_FILE, () => encodeAnalysis(analysis));
  }

  /** Names that users gave topics, by `StoredTopic.key`. */
  async readNames(): Promise<Map<string, string>> {
    const bytes = await this.#content(TOPIC_NAMES_FILE);
    if (bytes === null) return new Map();
    try {
      const names = Object.entries(JSON.parse(bytes.toString()) as Record<string, unknown>);
      return new Map(names.filter((entry): entry is [string, string] => isName(entry[1])));
    } catch {
      return new Map();
    }
  }

  /** Gives a topic a name; `null` removes it. When it resolves, the name survives a power cut. */
  async rename(key: string, name: string | null): Promise<void> {
    await this.#replace(TOPIC_NAMES_FILE, async () => {
      const names = await this.readNames();
      if (name === null) names.delete(key);
      else names.set(key, name);
      return Buffer.from(`${JSON.stringify(Object.fromEntries(names))}\n`);
    });
  }

  async #content(name: string): Promise<Buffer | null> {
    return await readFile(join(this.#folder, name)).catch((error) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  async #replace(name: string, content: () => Uint8Array | Promise<Uint8Array>): Promise<void> {
    const step = this.#writing.then(async () => {
      const path = join(this.#folder, name);
      const draft = `${path}${DRAFT_SUFFIX}`;
      const bytes = await content();
      this.#deps.assertWritable();
      // What a killed process left.
      await rm(draft, { force: true });
      try {
        await writeSynced(draft, bytes);
        this.#deps.assertWritable();
        await rename(draft, path);
      } catch (error) {
        // On a full disk, half of a file would keep it full.
        await removeLeftovers([draft], this.#deps);
        throw error;
      }
      await syncFolder(this.#folder);
      this.#bytes = await sizeOf(this.#folder);
    });
    this.#writing = step.catch(() => {});
    await step;
  }
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= MAX_TOPIC_NAME_CHARS;
}

/** The form of `StoredTopic.key`. */
const KEY = /^[0-9a-f]{24}$/;

const FILES = [ANALYSIS_FILE, TOPIC_NAMES_FILE];

async function sizeOf(folder: string): Promise<number> {
  const sizes = await Promise.all(FILES.map((name) => bytesOf(folder, name)));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function bytesOf(folder: string, name: string): Promise<number> {
  return stat(join(folder, name)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Analysis → bytes of its file. */
export function encodeAnalysis({ header, places, scores, topicOf }: StoredAnalysis): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const content = Buffer.concat([json, bytesIn(places), bytesIn(scores), bytesIn(topicOf)]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  for (const [i, value] of [VERSION, json.byteLength, topicOf.length, crc32(content)].entries()) {
    prefix.writeUInt32LE(value, MAGIC.length + 4 * i);
  }
  return Buffer.concat([prefix, content]);
}

/** Bytes of a file → analysis; `null` for anything else. */
export function decodeAnalysis(bytes: Buffer): StoredAnalysis | null {
  if (bytes.byteLength < PREFIX_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const [version, headerBytes, rows, crc] = [0, 1, 2, 3].map((i) => bytes.readUInt32LE(MAGIC.length + 4 * i));
  if (version !== VERSION) return null;
  const content = bytes.subarray(PREFIX_BYTES);
  if (content.byteLength !== headerBytes! + rows! * 14 || crc32(content) !== crc) return null;
  const header = parseHeader(content.toString('utf8', 0, headerBytes));
  if (header === null) return null;
  // Copies: the arrays need not be aligned in the file.
  let at = headerBytes!;
  const next = (length: number) => {
    at += length;
    return new Uint8Array(content.subarray(at - length, at)).buffer;
  };
  const analysis = {
    header,
    places: new Float32Array(next(8 * rows!)),
    scores: new Float32Array(next(4 * rows!)),
    topicOf: new Int16Array(next(2 * rows!)),
  };
  return analysis.topicOf.every((topic) => topic >= -1 && topic < header.topics.length) ? analysis : null;
}

/** Text of a header → header; `null` if it lacks a part. The producer checks what is in the parts. */
function parseHeader(text: string): AnalysisHeader | null {
  try {
    const header = JSON.parse(text) as AnalysisHeader;
    const isWhole =
      [header.topics, header.groups, header.steps].every(Array.isArray) &&
      header.topics.every(({ key }) => KEY.test(key)) &&
      typeof header.duplicates === 'object';
    return isWhole ? header : null;
  } catch {
    return null;
  }
}

function bytesIn(array: Float32Array | Int16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
