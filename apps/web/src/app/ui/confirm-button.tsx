/** A button for what cannot be undone: it asks first, in a dialog of the browser's own making. */

import { useId, useRef } from 'preact/hooks';

export function ConfirmButton({
  name,
  question,
  answer,
  onConfirm,
}: {
  name: string;
  question: string;
  /** What the confirming button says. */
  answer: string;
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
            {answer}
          </button>
        </div>
      </dialog>
    </>
  );
}
