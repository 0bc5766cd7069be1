/** The progress of a run in the title of the tab, and notifications of the system at the end of runs. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useState } from 'preact/hooks';
import { useOverview } from './overview.tsx';
import { go, useRoute } from './router.ts';
import { count } from './ui/format.ts';
import { type RunningUpload, useUploads } from './upload/uploads.ts';

/** `45 % · ` of the active run that the page shows, or else of the newest one; empty without. */
export function useTabProgress(): string {
  const { overview } = useOverview();
  const [page, id] = useRoute();
  const uploads = useUploads();
  const active = (overview?.runs ?? []).filter(isActive);
  const run = page === 'runs' && id !== undefined ? active.find((each) => each.id === id) : active[0];
  return run === undefined ? '' : `${percentDone(run, uploads)} % · `;
}

/** Rows done in percent; while this tab uploads the file, of the rows that the whole file is estimated to have. */
function percentDone({ id, rows }: RunInfo, uploads: readonly RunningUpload[]): number {
  const upload = uploads.find(({ run }) => run === id)?.state;
  const sent = upload === undefined || upload.totalBytes === 0 ? 1 : upload.sentBytes / upload.totalBytes;
  return rows.accepted === 0 ? 0 : Math.floor((100 * sent * rows.done) / rows.accepted);
}

function isActive({ state }: RunInfo): boolean {
  return state === 'open' || state === 'sealed';
}

/** Runs of which the user wants to know the end; as long as this tab is open. */
const wanted = new Set<string>();

/** Shows a notification when a run ends for which {@link NotifyButton} was pressed. Renders nothing. */
export function EndNotices() {
  const { overview } = useOverview();
  useEffect(() => {
    for (const run of overview?.runs ?? []) {
      if (isActive(run) || !wanted.delete(run.id)) continue;
      notify(run);
    }
  }, [overview]);
  return null;
}

function notify({ id, state, options, rows, verdicts }: RunInfo): void {
  const failed = verdicts.failed > 0 ? `, ${count(verdicts.failed)} failed` : '';
  try {
    const notice = new Notification(`${options.name ?? id}: ${state}`, {
      body: `${count(rows.done)} rows${failed}`,
      tag: id,
    });
    notice.onclick = () => {
      focus();
      go('runs', id);
    };
  } catch {
    // Chrome on Android permits notifications to service workers only.
  }
}

/** A button of an active run that asks for the permission to show a notification at its end. */
export function NotifyButton({ run }: { run: string }) {
  const [isWanted, setIsWanted] = useState(wanted.has(run));
  const [isDenied, setIsDenied] = useState(false);
  // Browsers without it, and pages without a secure connection, cannot show any.
  if (!('Notification' in globalThis) || !isSecureContext) return null;
  const press = async () => {
    if (isWanted) wanted.delete(run);
    else {
      const isGranted = (await Notification.requestPermission()) === 'granted';
      setIsDenied(!isGranted);
      if (!isGranted) return;
      wanted.add(run);
    }
    setIsWanted(!isWanted);
  };
  return (
    <button type="button" class="button" aria-pressed={isWanted} onClick={() => void press()}>
      {isDenied
        ? 'The browser does not permit notifications'
        : isWanted
          ? 'You are notified at the end ✓'
          : 'Notify me at the end'}
    </button>
  );
}
