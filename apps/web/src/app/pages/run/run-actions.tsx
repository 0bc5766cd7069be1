/** What one can do with a run: search it, try failed rows again, cancel it, delete it. */

import type { RunInfo } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { go, to } from '../../router.ts';
import { ConfirmButton } from '../../ui/confirm-button.tsx';
import { Failure } from '../../ui/states.tsx';

/** @param onChange called when the run may be at work again */
export function RunActions({ run, onChange }: { run: RunInfo; onChange: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const path = `v1/runs/${run.id}`;
  const act = (work: Promise<unknown>, then: () => void) => {
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
          onClick={() => act(request(`${path}/retry`, { method: 'POST' }), onChange)}
        >
          Retry failed
        </button>
      )}
      {isActive ? (
        <ConfirmButton
          name="Cancel run"
          question="Cancel this run? The remaining rows will not be embedded."
          answer="Cancel the run"
          onConfirm={() => act(request(`${path}/cancel`, { method: 'POST' }), onChange)}
        />
      ) : (
        <ConfirmButton
          name="Delete"
          question="Delete this run and its vectors? This cannot be undone."
          answer="Delete the run"
          onConfirm={() => act(request(path, { method: 'DELETE' }), () => go('runs'))}
        />
      )}
      {error !== null && <Failure error={error} />}
    </>
  );
}
