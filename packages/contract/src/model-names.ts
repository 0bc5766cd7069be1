/** Names of models on a hub: `owner/name`, optionally with a revision: `owner/name@revision`. */

import { catalogueModel } from './catalogue.ts';

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

/** The name on the hub that `model` stands for: itself, or that of a short name; `null` if it is neither. */
export function hubModelName(model: string): ModelName | null {
  return readModelName(catalogueModel(model)?.repository ?? model);
}

/**
 * The name under which workers serve a model: the last part of its path or repository, without revision. Short
 * names of the catalogue stand for their repositories.
 */
export function servedModelName(model: string): string {
  const repository = hubModelName(model)?.repository ?? model;
  return repository.split(/[\\/]/).findLast((part) => part !== '') ?? model;
}
