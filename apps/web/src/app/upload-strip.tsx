/** The uploads of this tab at the bottom of every page, with buttons to pause and resume them. */

import { to } from './router.ts';
import { Breakable } from './ui/breakable.tsx';
import { Bar } from './ui/figures.tsx';
import { bytes, count } from './ui/format.ts';
import { Failure } from './ui/states.tsx';
import type { UploadState } from './upload/file-upload.ts';
import { dismissUpload, type RunningUpload, useUploads } from './upload/uploads.ts';

const STATE_TEXTS: Readonly<Record<UploadState['state'], string>> = {
  sending: 'Uploading',
  paused: 'Paused. Uploaded rows are kept.',
  waiting: 'The server is unreachable or overloaded; the upload continues automatically.',
  sent: 'All rows are uploaded.',
  failed: 'The upload failed.',
};

/** Renders one line per upload; nothing without uploads. */
export function UploadStrip() {
  const uploads = useUploads();
  if (uploads.length === 0) return null;
  return (
    <section class="uploads" aria-label="Uploads">
      {uploads.map((each) => (
        <UploadProgress key={each.run} {...each} />
      ))}
    </section>
  );
}

function UploadProgress({ run, fileName, upload, state: progress }: RunningUpload) {
  const { state, sentBytes, totalBytes, accepted, rejected, error } = progress;
  return (
    <div class="upload">
      <div class="upload-text">
        <p>
          <a href={to('runs', run)}>
            <Breakable name={fileName} />
          </a>{' '}
          <span role="status">{STATE_TEXTS[state]}</span>
        </p>
        <Bar name="Uploaded" value={sentBytes} whole={totalBytes} />
        <p class="soft small">
          {bytes(sentBytes)} of {bytes(totalBytes)}, {count(accepted)} rows
          {rejected > 0 && `, ${count(rejected)} lines rejected`}
          {state !== 'failed' &&
            '. Closing this tab pauses the upload; choose the same file again to resume it.'}
        </p>
        {state === 'failed' && <Failure error={error} />}
      </div>
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
      {state === 'failed' && (
        <button type="button" class="button" onClick={() => dismissUpload(run)}>
          Dismiss
        </button>
      )}
    </div>
  );
}
