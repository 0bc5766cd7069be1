/** Names of models on a hub: `owner/name`, optionally with a revision: `owner/name@revision`. */

/** A parsed name. */
export interface ModelName {
  /** `owner/name`. */
  repository: string;
  /** Branch, tag or commit; `null` if not given. */
  revision: string | null;
}

/** Characters of owners and names on the hub; neither part may start with a dot, so `../x` is not a name. */
const NAME =
  /^(?<repository>[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95})(?:@(?<revision>[\w][\w./-]{0,199}))?$/;

/** Parses a name; `null` if it is not one. */
export function readModelName(given: string): ModelName | null {
  const { repository, revision } = NAME.exec(given)?.groups ?? {};
  if (repository === undefined || revision?.includes('..')) return null;
  return { repository, revision: revision ?? null };
}

/** Whether this can be the name of a model on a hub. */
export function isModelName(given: string): boolean {
  return readModelName(given) !== null;
}
