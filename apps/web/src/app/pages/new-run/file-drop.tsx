/** Where a file is dropped, or chosen with the keyboard. */

import { useState } from 'preact/hooks';
import { bytes } from '../../ui/format.ts';
import { ACCEPTED_FILES } from '../../upload/file-kind.ts';

export function FileDrop({ file, onFile }: { file: File | null; onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    const first = files?.[0];
    if (first !== undefined) onFile(first);
  };
  return (
    <label
      class={`drop${isOver ? ' drop-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <input
        type="file"
        class="unseen"
        accept={ACCEPTED_FILES}
        onChange={(event) => take(event.currentTarget.files)}
      />
      <span class="drop-title">
        {file === null ? 'Drop a file here, or click to choose one' : `${file.name}, ${bytes(file.size)}`}
      </span>
      <span class="soft small">
        {file === null
          ? 'CSV, TSV or JSON Lines in UTF-8, of any size, optionally compressed as .gz'
          : 'Choose another file'}
      </span>
    </label>
  );
}
