/** Iterates over the finished rows of a run, a given number at a time. */

import type { EmbedAnswer } from '@embedmill/core/redis';
import type { FinishedRows } from '@embedmill/core/runs';

/** Vectors and outcomes of consecutive rows. */
export type RowAnswers = Pick<EmbedAnswer, 'vectors' | 'dim' | 'outcomes'>;

/** A forward-only position in the rows of a run. */
export class RowCursor {
  readonly #slices: AsyncIterator<FinishedRows>;
  #slice: FinishedRows | undefined;
  #at = 0;

  constructor(slices: AsyncIterable<FinishedRows>) {
    this.#slices = slices[Symbol.asyncIterator]();
  }

  /** Returns the next `count` rows, or `null` if one of them is not done or the run has fewer. */
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

  /** Ends the iteration. */
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
