/** A button for destructive actions that asks for confirmation in a modal dialog. */

import { useId, useRef } from 'preact/hooks';

/** @param onConfirm called after confirmation */
export function ConfirmButton({
  name,
  question,
  confirmLabel,
  onConfirm,
}: {
  name: string;
  question: string;
  /** Label of the confirming button. */
  confirmLabel: string;
  onConfirm: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  return (
    <>
      <button type="button" class="button button-bad" onClick={() => dialog.current?.showModal()}>
        {name}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
        <p id={id}>{question}</p>
        <div class="actions">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
          <button
            type="button"
            class="button button-bad"
            onClick={() => {
              dialog.current?.close();
              onConfirm();
            }}
          >
            {confirmLabel}
          </button>
        </div>
      </dialog>
    </>
  );
}
