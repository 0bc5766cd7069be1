/** Actions on a run: search, retry failed rows, notify, cancel, delete. */

import type { RunInfo } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { go, to } from '../../router.ts';
import { NotifyButton } from '../../tab-progress.tsx';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Failure } from '../../ui/states.tsx';

/** @param onChange called after the run was retried or cancelled */
export function RunActions({ run, onChange }: { run: RunInfo; onChange: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const path = `v1/runs/${run.id}`;
  const perform = (work: Promise<unknown>, then: () => void) => {
    setError(null);
    work.then(then, setError);
  };
  const isActive = run.state === 'open' || run.state === 'sealed';
  return (
    <>
      {run.state === 'completed' && (
        <a class="button button-main" href={to('search', run.id)}>
          Search
        </a>
      )}
      {run.state === 'completed' && run.verdicts.failed > 0 && (
        <button
          type="button"
          class="button"
          onClick={() => perform(request(`${path}/retry`, { method: 'POST' }), onChange)}
        >
          Retry failed
        </button>
      )}
      {isActive && <NotifyButton run={run.id} />}
      {isActive ? (
        <ConfirmButton
          name="Cancel run"
          question="Cancel this run? The remaining rows will not be embedded."
          confirmLabel="Cancel the run"
          onConfirm={() => perform(request(`${path}/cancel`, { method: 'POST' }), onChange)}
        />
      ) : (
        <ConfirmButton
          name="Delete"
          question="Delete this run and its vectors? This cannot be undone."
          confirmLabel="Delete the run"
          onConfirm={() => perform(request(path, { method: 'DELETE' }), () => go('runs'))}
        />
      )}
      {error !== null && <Failure error={error} />}
    </>
  );
}
