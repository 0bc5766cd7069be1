/** Cosines of all pairs of up to 20 lines, as a table coloured like a heat map. */

import { useId, useState } from 'preact/hooks';
import { cosine } from '../../api/vectors.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useVectors } from '../../ui/use-vectors.ts';

const MAX_LINES = 20;

/** Percentage of the accent colour behind a cosine of 1; text on it keeps its contrast in both themes. */
const MAX_TINT = 50;

const EXAMPLE = [
  'Apple phone battery drains fast',
  'iPhone battery life is too short',
  'The battery lasts two full days',
  'My parcel came a week late',
  'Delivery took far too long',
  'Soft fabric and a good fit',
].join('\n');

/** Renders the input and the table. */
export function MatrixView() {
  const id = useId();
  const [text, setText] = useState(EXAMPLE);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const used = lines.slice(0, MAX_LINES);
  const { texts, embedded, error } = useVectors(JSON.stringify(used), {});
  return (
    <>
      <div class="card text-card">
        <label for={id}>Texts, one per line, at most {MAX_LINES}</label>
        <textarea id={id} rows={7} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        {lines.length > MAX_LINES && (
          <p class="mark-warn small">
            Only the first {MAX_LINES} of {lines.length} lines are compared.
          </p>
        )}
      </div>
      <Section title="Cosine of all pairs">
        {used.length < 2 ? (
          <Empty title="Enter at least two lines." />
        ) : error !== null ? (
          <Failure error={error} />
        ) : embedded === null ? (
          <Loading what="the matrix" />
        ) : (
          <HeatMap texts={texts} vectors={embedded.vectors} />
        )}
      </Section>
    </>
  );
}

function HeatMap({
  texts,
  vectors,
}: {
  texts: readonly string[];
  vectors: readonly (Float32Array | null)[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable with the keyboard
    <section class="scroll" tabIndex={0} aria-label="Matrix of cosines">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">Line</th>
            {texts.map((text, column) => (
              <th key={`${column} ${text}`} scope="col" title={text}>
                {column + 1}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {texts.map((text, row) => (
            <tr key={`${row} ${text}`}>
              <th scope="row">
                <span class="heat-number">{row + 1}</span> {text}
              </th>
              {texts.map((other, column) => (
                <HeatCell
                  key={`${column} ${other}`}
                  score={cosine(vectors[row], vectors[column])}
                  isSame={row === column}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function HeatCell({ score, isSame }: { score: number | null; isSame: boolean }) {
  if (score === null) return <td class="soft">–</td>;
  const tint = Math.round(MAX_TINT * Math.max(0, Math.min(1, score)));
  return (
    <td
      class={isSame ? 'heat-same' : ''}
      style={{ backgroundColor: `color-mix(in oklab, var(--accent) ${tint}%, var(--card))` }}
    >
      {score.toFixed(2)}
    </td>
  );
}
