/** Progress of an upload, with buttons to pause and resume it. */

import { to } from '../../router.ts';
import { Bar } from '../../ui/figures.tsx';
import { bytes, count } from '../../ui/format.ts';
import { Failure } from '../../ui/states.tsx';
import type { FileUpload, UploadState } from '../../upload/file-upload.ts';

const STATE_TEXTS: Readonly<Record<UploadState['state'], string>> = {
  sending: 'Sending …',
  paused: 'Paused. Uploaded rows are kept.',
  waiting: 'The server is unreachable or overloaded; the upload continues automatically.',
  sent: 'All rows are uploaded.',
  failed: 'The upload failed.',
};

/** Renders the progress of an upload. */
export function UploadProgress({
  run,
  upload,
  progress,
}: {
  run: string;
  upload: FileUpload;
  progress: UploadState;
}) {
  const { state, sentBytes, totalBytes, accepted, rejected, error } = progress;
  return (
    <>
      <p role="status">{STATE_TEXTS[state]}</p>
      <Bar name="Uploaded" value={sentBytes} whole={totalBytes} />
      <p class="soft">
        {bytes(sentBytes)} of {bytes(totalBytes)}, {count(accepted)} rows
        {rejected > 0 && `, ${count(rejected)} lines rejected`}
      </p>
      {state === 'failed' && <Failure error={error} />}
      <div class="actions">
        {(state === 'sending' || state === 'waiting') && (
          <button type="button" class="button" onClick={() => upload.pause()}>
            Pause
          </button>
        )}
        {state === 'paused' && (
          <button type="button" class="button button-main" onClick={() => upload.resume()}>
            Resume
          </button>
        )}
        <a class={state === 'sent' ? 'button button-main' : 'button'} href={to('runs', run)}>
          {state === 'sent' ? 'Watch the run' : 'Show the run'}
        </a>
      </div>
      {state !== 'sent' && state !== 'failed' && (
        <p class="soft small">Leaving this page pauses the upload; choose the same file to resume it.</p>
      )}
    </>
  );
}
