/** The menu that saves the shown rows or the topics as a file. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { download } from '../../api/client.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count, plural } from '../../ui/format.ts';
import { Failure } from '../../ui/states.tsx';

const FORMATS = [
  { format: 'csv', name: 'CSV' },
  { format: 'xlsx', name: 'Excel' },
  { format: 'parquet', name: 'Parquet' },
] as const;

/** Renders the button and its menu. */
export function ExportMenu({ explorer }: { explorer: Explorer }) {
  const { run, crossed, isFiltered, order, results, topics } = explorer;
  const menu = useRef<HTMLDetailsElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => {
    const closeOutside = (event: Event) => {
      if (!menu.current?.contains(event.target as Node)) menu.current?.removeAttribute('open');
    };
    addEventListener('pointerdown', closeOutside);
    return () => removeEventListener('pointerdown', closeOutside);
  }, []);
  const save = (work: Promise<void>) => {
    setIsBusy(true);
    work
      .then(
        () => {
          setError(null);
          menu.current?.removeAttribute('open');
        },
        (reason) => setError(reason),
      )
      .finally(() => setIsBusy(false));
  };
  const path = `v1/runs/${run.id}`;
  return (
    <details
      class="menu"
      ref={menu}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        menu.current?.removeAttribute('open');
        menu.current?.querySelector('summary')?.focus();
      }}
    >
      <summary class="button button-main">Export</summary>
      <div class="menu-body">
        <h3>
          {count(crossed.count)} {plural(crossed.count, 'text')}
          {isFiltered ? ', as shown' : ''}
        </h3>
        <p class="soft small">Id, text, columns, topic and similarity to it.</p>
        <FormatButtons
          what="texts"
          isDisabled={isBusy || crossed.count === 0 || results === null}
          onChoose={(format) =>
            save(
              download(`${path}/table`, {
                method: 'POST',
                json: { format, ...(isFiltered ? { rows: [...order] } : {}) },
              }),
            )
          }
        />
        <h3>
          {count(topics.length)} {plural(topics.length, 'topic')}
        </h3>
        <p class="soft small">Names, sizes, key terms and typical texts.</p>
        <FormatButtons
          what="topics"
          isDisabled={isBusy || topics.length === 0}
          onChoose={(format) => save(download(`${path}/topics/table?format=${format}`))}
        />
        {error !== null && <Failure error={error} />}
      </div>
    </details>
  );
}

function FormatButtons({
  what,
  isDisabled,
  onChoose,
}: {
  what: string;
  isDisabled: boolean;
  onChoose: (format: (typeof FORMATS)[number]['format']) => void;
}) {
  return (
    <p class="actions">
      {FORMATS.map(({ format, name }) => (
        <button
          key={format}
          type="button"
          class="button"
          aria-label={`Export the ${what} as ${name}`}
          disabled={isDisabled}
          onClick={() => onChoose(format)}
        >
          {name}
        </button>
      ))}
    </p>
  );
}
