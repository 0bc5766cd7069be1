/** Names that break after hyphens and similar characters instead of inside words. */

import { Fragment } from 'preact';

/** A name with a permitted line break after each `-`, `_`, `.`, `/` and `:`. */
export function Breakable({ name }: { name: string }) {
  const pieces = name.split(/(?<=[-_./:])/);
  return (
    <>
      {pieces.map((piece, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          {piece}
        </Fragment>
      ))}
    </>
  );
}
