/** Two texts and their cosine, with and without cleaning. */

import { CLEAN_STEPS, type RowOutcome } from '@embedmill/contract';
import { useId, useState } from 'preact/hooks';
import { cosine, type VectorsReply } from '../../api/vectors.ts';
import { count } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useVectors } from '../../ui/use-vectors.ts';

/** Almost no words in common, but the same meaning. */
const EXAMPLE = ['Apple phone battery drains fast', 'iPhone battery life is too short'] as const;

/** Renders both texts and their cosine. */
export function PairView() {
  const [a, setA] = useState<string>(EXAMPLE[0]);
  const [b, setB] = useState<string>(EXAMPLE[1]);
  const isEmpty = a.trim() === '' || b.trim() === '';
  const json = isEmpty ? '[]' : JSON.stringify([a, b]);
  const { embedded, error, isLoading, texts } = useVectors(json, {});
  const cleaned = useVectors(json, { clean: CLEAN_STEPS });
  return (
    <>
      <div class="columns">
        <TextCard name="First text" text={a} onText={setA} outcome={embedded?.outcomes[0]} />
        <TextCard name="Second text" text={b} onText={setB} outcome={embedded?.outcomes[1]} />
      </div>
      <Section
        title="Cosine"
        aside={
          <button
            type="button"
            class="button"
            onClick={() => {
              setA(EXAMPLE[0]);
              setB(EXAMPLE[1]);
            }}
          >
            Show the example
          </button>
        }
      >
        {isEmpty ? (
          <Empty title="Enter two texts." />
        ) : error !== null ? (
          <Failure error={error} />
        ) : embedded === null || texts.length === 0 ? (
          <Loading what="the cosine" />
        ) : (
          <CosineOf embedded={embedded} cleaned={cleaned.embedded} isLoading={isLoading} />
        )}
      </Section>
    </>
  );
}

function TextCard({
  name,
  text,
  onText,
  outcome,
}: {
  name: string;
  text: string;
  onText: (text: string) => void;
  outcome: RowOutcome | undefined;
}) {
  const id = useId();
  return (
    <div class="card text-card">
      <label for={id}>{name}</label>
      <textarea
        id={id}
        rows={5}
        value={text}
        aria-describedby={`${id}tokens`}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <p id={`${id}tokens`} class="soft small">
        {outcome === undefined ? ' ' : <Tokens outcome={outcome} />}
      </p>
    </div>
  );
}

/** Number of tokens of a text, and of those that its vector does not cover. */
function Tokens({ outcome: { verdict, tokens, lostTokens, message } }: { outcome: RowOutcome }) {
  if (verdict === 'truncated') {
    return (
      <span class="mark-warn">
        Truncated: the vector covers {count(tokens)} tokens, the last {count(lostTokens)} are cut off.
      </span>
    );
  }
  if (verdict === 'failed') return <span class="mark-warn">{message}</span>;
  return verdict === 'empty' ? <>No text to embed.</> : <>{count(tokens)} tokens, the whole text</>;
}

function CosineOf({
  embedded,
  cleaned,
  isLoading,
}: {
  embedded: VectorsReply;
  /** Vectors of the cleaned texts; `null` while they are loading. */
  cleaned: VectorsReply | null;
  isLoading: boolean;
}) {
  const [a, b] = embedded.vectors;
  const score = cosine(a, b);
  if (score === null) return <Empty title="One of the texts has no vector, so they cannot be compared." />;
  return (
    <div class={`cosine${isLoading ? ' cosine-old' : ''}`}>
      <output class="cosine-value" aria-live="polite">
        {score.toFixed(3)}
      </output>
      <div class="cosine-scale" aria-hidden="true">
        <div class="cosine-mark" style={{ insetInlineStart: `${100 * Math.max(0, Math.min(1, score))}%` }} />
      </div>
      <div class="cosine-words soft small" aria-hidden="true">
        <span>0: unrelated</span>
        <span>1: same</span>
      </div>
      <p>{describeCleaning(score, cosine(cleaned?.vectors[0], cleaned?.vectors[1]))}</p>
      <p class="soft small">
        {embedded.timings.totalMs.toFixed(0)} ms in total, of which {embedded.timings.inferMs.toFixed(0)} ms
        in a worker. The threshold for “same” depends on your texts; the Threshold page finds it.
      </p>
    </div>
  );
}

/** Says how the cosine changes when all cleaning steps are applied. */
function describeCleaning(plain: number, cleaned: number | null): string {
  if (cleaned === null) return 'After cleaning: …';
  const change = cleaned - plain;
  if (Math.abs(change) < 0.0005) return `After cleaning: ${cleaned.toFixed(3)} (unchanged).`;
  return `After cleaning: ${cleaned.toFixed(3)} (${change > 0 ? '+' : '−'}${Math.abs(change).toFixed(3)}).`;
}
