/** The record of an installed model: where it came from. Stored in its folder. */

/** Name of the record in a model folder. */
export const MODEL_RECORD_FILE = 'embedmill-model.json';

/** Where a model came from. */
export interface ModelRecord {
  /** `owner/name` of the authors; decides which prompts of the catalogue apply. */
  repository: string;
  /** `owner/name` that was asked for: another one if it came from a producer under its name there. */
  pulledAs: string | null;
  /** The revision that was asked for; `null` for the default branch. */
  revision: string | null;
  /** Commit of that revision when it was pulled; `null` for a folder that was added. */
  commit: string | null;
  /** Hub from which it was pulled; `null` for a folder that was added. */
  endpoint: string | null;
  /** ISO 8601. */
  installedAt: string;
  /** The files with the digests that the hub lists. */
  files: readonly { path: string; bytes: number; digest: string }[];
}
