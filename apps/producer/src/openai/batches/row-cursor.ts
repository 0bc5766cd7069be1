/** Walks over the finished rows of a run, as many at a time as a line of the input has texts. */

import type { EmbedAnswer } from '@embedmill/core/redis';
import type { FinishedRows } from '@embedmill/core/runs';

/** What became of some rows. */
export type RowAnswers = Pick<EmbedAnswer, 'vectors' | 'dim' | 'outcomes'>;

export class RowCursor {
  readonly #slices: AsyncIterator<FinishedRows>;
  #slice: FinishedRows | undefined;
  #at = 0;

  constructor(slices: AsyncIterable<FinishedRows>) {
    this.#slices = slices[Symbol.asyncIterator]();
  }

  /** The next `count` rows; `null` when one of them is not done, or when the run has fewer. */
  async take(count: number): Promise<RowAnswers | null> {
    const pieces: RowAnswers[] = [];
    let isWhole = true;
    for (let left = count; left > 0; ) {
      if (this.#slice === undefined || this.#at === this.#slice.rows) {
        const { done, value } = await this.#slices.next();
        if (done === true) return null;
        this.#slice = value;
        this.#at = 0;
        continue;
      }
      const end = Math.min(this.#at + left, this.#slice.rows);
      const { result } = this.#slice;
      if (result === null) isWhole = false;
      else pieces.push(cut(result, this.#at, end));
      left -= end - this.#at;
      this.#at = end;
    }
    return isWhole ? join(pieces) : null;
  }

  /** Reads no more. */
  async close(): Promise<void> {
    await this.#slices.return?.();
  }
}

function cut({ vectors, dim, outcomes }: RowAnswers, start: number, end: number): RowAnswers {
  return { vectors: vectors.subarray(start * dim, end * dim), dim, outcomes: outcomes.slice(start, end) };
}

function join(pieces: readonly RowAnswers[]): RowAnswers {
  if (pieces.length === 1) return pieces[0]!;
  const dim = pieces[0]?.dim ?? 0;
  const outcomes = pieces.flatMap((piece) => piece.outcomes);
  const vectors = new Float32Array(outcomes.length * dim);
  let at = 0;
  for (const piece of pieces) {
    vectors.set(piece.vectors, at);
    at += piece.vectors.length;
  }
  return { vectors, dim, outcomes };
}
