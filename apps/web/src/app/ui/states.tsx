/**
 * What a part of a page shows while it has nothing to show: not yet, nothing there, or something went wrong.
 */

import type { ComponentChildren } from 'preact';
import { describeError } from '../api/errors.ts';

/** Still on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p class="state" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </p>
  );
}

/** Nothing there, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state state-empty">
      <p class="state-title">{title}</p>
      {children}
    </div>
  );
}

/** It went wrong; `onRetry` shows a button. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div class="notice notice-bad" role="alert">
      <p>{describeError(error)}</p>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
