/** Which hub to use and how, from the settings that other tools for the hub read too. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../process/index.ts';

/** How to reach a hub. */
export interface HubOptions {
  /** Base URL without a trailing slash. */
  endpoint: string;
  /** Sent to the origin of `endpoint` only. */
  token: string | undefined;
  /** Whether only the cache of other tools may be used. */
  isOffline: boolean;
  /** Cache folder of other tools (`models--OWNER--NAME` folders); it is read, never written. */
  cacheFolder: string;
  /** Maximum wait for the head of a response or for the next bytes of a body. Default 15 seconds. */
  timeoutMs?: number;
  /** Delay before the first retry; it doubles with each one. Default half a second. */
  retryMs?: number;
}

/** The settings of this folder in `Config`. */
export type HubSettings = Pick<Config, 'hubEndpoint' | 'hubToken' | 'isHubOffline' | 'hubHome' | 'hubCache'>;

/** The hub that the settings select. */
export function hubOptionsOf(config: HubSettings): HubOptions {
  return {
    endpoint: config.hubEndpoint,
    token: config.hubToken,
    isOffline: config.isHubOffline,
    cacheFolder: config.hubCache ?? join(config.hubHome ?? join(homedir(), '.cache', 'huggingface'), 'hub'),
  };
}
