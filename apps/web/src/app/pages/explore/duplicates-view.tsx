/** Groups of texts that say nearly the same. */

import type { RunDuplicates } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { useRowTexts } from '../../explore/row-texts.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count, plural, share } from '../../ui/format.ts';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { useResource } from '../../ui/use-resource.ts';

/** Groups that are shown at first, and added by each click. */
const PAGE_GROUPS = 20;

/** Rows of an open group. */
const SHOWN_ROWS = 20;

/** Renders the largest groups, each with one text that stands for it. */
export function DuplicatesView({ explorer }: { explorer: Explorer }) {
  const { run, total } = explorer;
  const { value, error, reload } = useResource<RunDuplicates>(`v1/runs/${run.id}/duplicates`);
  const [shown, setShown] = useState(PAGE_GROUPS);
  if (value === null) {
    return error === null ? (
      <Loading what="the near-duplicates" />
    ) : (
      <Failure error={error} onRetry={reload} />
    );
  }
  const { groups, groupCount, rowsInGroups, threshold } = value;
  if (groups.length === 0) {
    return (
      <Empty title="No near-duplicates.">
        <p>No two texts have a similarity of {threshold} or more.</p>
      </Empty>
    );
  }
  return (
    <>
      <p class="soft small">
        {count(rowsInGroups)} {plural(rowsInGroups, 'text')} ({share(rowsInGroups, total)}) nearly repeat
        another: a similarity of {threshold} or more, in {count(groupCount)} {plural(groupCount, 'group')}
        {groupCount > groups.length ? `, of which the largest ${count(groups.length)} are listed` : ''}.
      </p>
      <ul class="duplicates">
        {groups.slice(0, shown).map((group) => (
          <DuplicateGroup key={group.representative.row} group={group} explorer={explorer} />
        ))}
      </ul>
      {groups.length > shown && (
        <p>
          <button type="button" class="button" onClick={() => setShown(shown + PAGE_GROUPS)}>
            Show more groups
          </button>
        </p>
      )}
    </>
  );
}

function DuplicateGroup({
  group: { representative, rows, size },
  explorer,
}: {
  group: RunDuplicates['groups'][number];
  explorer: Explorer;
}) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <button type="button" class="duplicate-head" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <span class="duplicate-count">{count(size)}</span>
        <span class="clip">{representative.text ?? '(no text)'}</span>
      </button>
      {isOpen && <DuplicateRows rows={rows} size={size} explorer={explorer} />}
    </li>
  );
}

function DuplicateRows({
  rows,
  size,
  explorer: { texts, update },
}: {
  /** The first rows of the group. */
  rows: RunDuplicates['groups'][number]['rows'];
  /** Rows of the whole group. */
  size: number;
  explorer: Explorer;
}) {
  const listed = rows.slice(0, SHOWN_ROWS);
  useRowTexts(
    texts,
    listed.map(({ row }) => row),
  );
  return (
    <ul class="duplicate-rows">
      {listed.map(({ row, score }) => (
        <li key={row}>
          <span class="hit-score">{score.toFixed(3)}</span>
          <button type="button" class="duplicate-text" onClick={() => update({ row }, 'replace')}>
            {texts.get(row)?.text ?? '…'}
          </button>
        </li>
      ))}
      {size > listed.length && (
        <li class="soft small">
          and {count(size - listed.length)} more {plural(size - listed.length, 'text')}
        </li>
      )}
    </ul>
  );
}
