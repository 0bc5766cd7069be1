/** Writes the output file and the error file of a finished or stopped batch. */

import type { FileDraft } from '../files/file-draft.ts';
import type { FileStore } from '../files/file-store.ts';
import { type OutputSource, outputLines, unfinishedLine } from './output-lines.ts';
import type { LineCounts } from './types.ts';

/** Approximate size of the chunks in which lines are written. */
const CHUNK_CHARS = 256 * 1024;

/** Which files to write, and from what. */
export interface OutputFilesOptions {
  source: OutputSource;
  files: FileStore;
  outputFileId: string;
  errorFileId: string;
  /** Milliseconds since 1970, or `null` for never. */
  expiresAt: number | null;
  /** Why lines may be unfinished. */
  why: 'cancelled' | 'expired';
  signal: AbortSignal;
}

/** The files that were written. */
export interface WrittenFiles {
  counts: LineCounts;
  tokens: number;
  /** `null` if it would have no lines. */
  outputFileId: string | null;
  errorFileId: string | null;
}

/**
 * Writes both files. A crash leaves no visible file, and calling it again writes the same files.
 * @throws file system errors, and {CorruptError} for a damaged file of the run
 */
export async function writeOutputFiles(options: OutputFilesOptions): Promise<WrittenFiles> {
  const { source, files, outputFileId, errorFileId, expiresAt, why, signal } = options;
  const drafts: FileDraft[] = [];
  try {
    const output = await files.begin(outputFileId);
    drafts.push(output);
    const errors = await files.begin(errorFileId);
    drafts.push(errors);
    const [outputText, errorText] = [new LineWriter(output), new LineWriter(errors)];
    const counts: LineCounts = { total: 0, completed: 0, failed: 0 };
    let tokens = 0;
    for await (const line of outputLines(source)) {
      signal.throwIfAborted();
      counts.total += 1;
      if (line.kind !== 'undone') tokens += line.tokens;
      if (line.kind === 'completed') {
        counts.completed += 1;
        await outputText.add(line.text);
      } else {
        // An unfinished line has not failed.
        if (line.kind === 'failed') counts.failed += 1;
        await errorText.add(line.kind === 'failed' ? line.text : unfinishedLine(source.batch, line, why));
      }
    }
    await outputText.flush();
    await errorText.flush();
    const keep = async (draft: FileDraft, kind: 'output' | 'error'): Promise<string | null> => {
      if (draft.bytes === 0) return null;
      const filename = `${source.batch}_${kind}.jsonl`;
      return (await draft.commit({ filename, purpose: 'batch_output', expiresAt })).id;
    };
    return {
      counts,
      tokens,
      outputFileId: await keep(output, 'output'),
      errorFileId: await keep(errors, 'error'),
    };
  } finally {
    for (const draft of drafts) await draft.discard();
  }
}

/** Buffers lines into chunks. */
class LineWriter {
  readonly #draft: FileDraft;
  #text = '';

  constructor(draft: FileDraft) {
    this.#draft = draft;
  }

  async add(line: string): Promise<void> {
    this.#text += line;
    if (this.#text.length >= CHUNK_CHARS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await this.#draft.write(Buffer.from(text));
  }
}
