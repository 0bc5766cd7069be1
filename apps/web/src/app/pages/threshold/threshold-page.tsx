/** The Threshold page: finds the cosine from which two texts count as the same, from labelled pairs. */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { bytes } from '../../ui/format.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { calibratePairs, type PairCalibration } from './calibrate-pairs.ts';
import { CalibrationView } from './calibration-view.tsx';
import { EXAMPLE_PAIRS } from './example.ts';
import { parsePairs } from './parse-pairs.ts';

/** Larger files would freeze the page while they are parsed. */
const MAX_FILE_BYTES = 5 * 1024 * 1024;

/** Renders the input and the results. */
export function ThresholdPage() {
  const id = useId();
  const [text, setText] = useState('');
  const [progress, setProgress] = useState<number | null>(null);
  const [result, setResult] = useState<PairCalibration | null>(null);
  const [error, setError] = useState<unknown>(null);
  const controller = useRef(new AbortController());
  useEffect(() => () => controller.current.abort(), []);
  const findThresholds = async (pairsText: string) => {
    controller.current.abort();
    controller.current = new AbortController();
    const { signal } = controller.current;
    setError(null);
    setResult(null);
    try {
      const pairs = parsePairs(pairsText);
      setProgress(0);
      setResult(await calibratePairs(pairs, setProgress, signal));
    } catch (reason) {
      if (signal.aborted) return;
      setError(reason);
    }
    setProgress(null);
  };
  const readFile = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > MAX_FILE_BYTES) {
      setError(
        new Error(`“${file.name}” has ${bytes(file.size)}; expected at most ${bytes(MAX_FILE_BYTES)}.`),
      );
      return;
    }
    setText(await file.text());
  };
  return (
    <PageLayout
      title="Threshold"
      lead="Finds the similarity threshold for “same” from labelled pairs of your own texts."
    >
      <Section
        title="Labelled pairs"
        aside={
          <button type="button" class="button" onClick={() => setText(EXAMPLE_PAIRS)}>
            Show the example
          </button>
        }
      >
        <form
          class="pairs-form"
          onSubmit={(event) => {
            event.preventDefault();
            void findThresholds(text);
          }}
        >
          <label for={`${id}pairs`}>
            One pair per line: text, text, <code>same</code> or <code>different</code>
          </label>
          <textarea
            id={`${id}pairs`}
            rows={8}
            value={text}
            placeholder={'Zipper broke,The zip is defective,same\nZipper broke,Buttons are of wood,different'}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <div class="actions">
            <label class="button file-button">
              Choose a file
              <input
                type="file"
                class="unseen"
                accept=".csv,.tsv,.txt"
                onChange={(event) => void readFile(event.currentTarget.files?.[0])}
              />
            </label>
            <button
              type="submit"
              class="button button-main"
              disabled={text.trim() === '' || progress !== null}
            >
              Find thresholds
            </button>
          </div>
        </form>
      </Section>
      {error !== null && <Failure error={error} />}
      {progress !== null && <Loading what={`the vectors, ${Math.round(100 * progress)} %`} />}
      {result !== null && <CalibrationView result={result} />}
      {result === null && progress === null && error === null && (
        <Empty title="No results yet.">
          <p>Use at least 200 pairs for reliable results; the example shows the page with fewer.</p>
        </Empty>
      )}
    </PageLayout>
  );
}
