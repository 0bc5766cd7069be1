/** Writes the output and the error file of a batch that is done or stopped; the batch calls it last. */

import type { FileDraft } from '../files/draft.ts';
import type { FileStore } from '../files/file-store.ts';
import { type OutputSource, outputLines, unfinishedLine } from './output.ts';
import type { LineCounts } from './types.ts';

/** Lines are written in chunks of about this size. */
const CHUNK_CHARS = 256 * 1024;

/** Which files are to be made, and how. */
export interface FinishRequest {
  source: OutputSource;
  files: FileStore;
  outputFileId: string;
  errorFileId: string;
  /** Milliseconds since 1970, or `null` for never. */
  expiresAt: number | null;
  /** Why lines may not be done. */
  why: 'cancelled' | 'expired';
  signal: AbortSignal;
}

/** What was made. */
export interface Finished {
  counts: LineCounts;
  tokens: number;
  /** `null` when no line went into it. */
  outputFileId: string | null;
  errorFileId: string | null;
}

/**
 * A crash before the end of it leaves nothing that is announced; calling it again makes the same files.
 * @throws what a full disk or a damaged file throws
 */
export async function writeOutputFiles(request: FinishRequest): Promise<Finished> {
  const { source, files, outputFileId, errorFileId, expiresAt, why, signal } = request;
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
        // A line that was stopped has not failed.
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

/** Collects lines until they are worth a write. */
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
