/** The error of this folder. */

import { EmbedmillError } from '@embedmill/contract';

/**
 * A model cannot be pulled. Codes: `hub-unreachable`, `hub-refused` (401, 403), `hub-not-found` (404),
 * `hub-busy` (429, 5xx), `hub-broken` (a response that the hub should not send), `hub-digest` (other bytes
 * than listed), `hub-offline`, `hub-unsuitable` (a repository without files that Embedmill runs), `disk-full`,
 * `pull-busy` (another process pulls the model), `model-not-installed`.
 */
export class HubError extends EmbedmillError {}
