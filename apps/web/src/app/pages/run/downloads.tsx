/** The files of a completed run. */

import type { RunInfo } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { download } from '../../api/client.ts';
import { storedKey } from '../../api/key.ts';
import { Failure } from '../../ui/states.tsx';

const FILES = [
  { name: 'Vectors .npy', path: 'results?format=npy', remark: 'NumPy, float32' },
  { name: 'Vectors .parquet', path: 'results?format=parquet', remark: 'id and vector' },
  { name: 'Vectors .jsonl', path: 'results?format=jsonl', remark: 'one JSON object per row' },
  { name: 'Ids', path: 'ids', remark: 'in the order of the vectors' },
  {
    name: 'Report',
    path: 'report?include=truncated',
    remark: 'failed, empty and truncated rows',
  },
] as const;

/** Links to the files of a run; with an API key, the page downloads them itself. */
export function Downloads({ run }: { run: RunInfo }) {
  const [error, setError] = useState<unknown>(null);
  // A link cannot send an API key. Without one the browser streams the file to disk.
  const onClick = (event: Event, path: string) => {
    if (storedKey() === null) return;
    event.preventDefault();
    download(path).then(() => setError(null), setError);
  };
  return (
    <>
      <ul class="files">
        {FILES.map(({ name, path, remark }) => {
          const file = `v1/runs/${run.id}/${path}`;
          return (
            <li key={path}>
              <a class="button" href={file} download onClick={(event) => onClick(event, file)}>
                {name}
              </a>
              <span class="soft small">{remark}</span>
            </li>
          );
        })}
      </ul>
      {error !== null && <Failure error={error} />}
    </>
  );
}
