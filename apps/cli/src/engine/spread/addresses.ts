/** Finds the producers that `--server` names: several URLs, or a host name with several addresses. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { EmbedmillClient } from '@embedmill/client';
import { UsageError } from '../../shell/exit-codes.ts';
import { MAX_PRODUCERS } from './part-map.ts';
import type { GroupMember } from './producer-group.ts';

/** A producer. */
export interface ProducerAddress {
  /** Its URL. */
  url: string;
  /** The address to connect to if the host name has several; otherwise `null`. */
  address: string | null;
}

/** Between the URLs of `--server`. */
const URL_SEPARATOR = ',';

/** The URLs in the value of `--server`, as it was validated. */
function urlsIn(server: string): string[] {
  return server.split(URL_SEPARATOR);
}

/** Returns the IPv4 addresses of a host name; none if it has no such address. */
export type LookUp = (host: string) => Promise<string[]>;

/**
 * The producers at these URLs. A host name with several IPv4 addresses is several producers.
 * @param server URLs with commas
 * @throws {UsageError} for more than 255 producers
 */
export async function findProducers(server: string, lookUp: LookUp = lookUpAll): Promise<ProducerAddress[]> {
  const found = await Promise.all(
    urlsIn(server).map(async (url): Promise<ProducerAddress[]> => {
      const { hostname } = new URL(url);
      const addresses = isIP(hostname.replace(/^\[|\]$/g, '')) > 0 ? [] : await lookUp(hostname);
      return addresses.length < 2 ? [{ url, address: null }] : addresses.map((address) => ({ url, address }));
    }),
  );
  const producers = found.flat();
  if (producers.length > MAX_PRODUCERS) {
    throw new UsageError(`--server names ${producers.length} producers; expected at most ${MAX_PRODUCERS}`);
  }
  return producers;
}

async function lookUpAll(host: string): Promise<string[]> {
  // A name that does not exist is reported by the first request.
  const found = await lookup(host, { all: true, family: 4 }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))].sort();
}

/** A client for one of several producers. */
export async function memberOf(
  { url, address }: ProducerAddress,
  options: { apiKey: string | undefined; signal: AbortSignal },
): Promise<GroupMember> {
  if (address === null) return { server: url, client: new EmbedmillClient({ ...options, url }) };
  const shown = new URL(url);
  shown.hostname = address;
  const { Agent, fetch: fetchThrough } = await import('undici');
  // The URL keeps the name, which proxies and certificates need.
  const dispatcher = new Agent({
    connect: {
      lookup: (_host, { all }, done) => (all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)),
    },
  });
  const throughAddress = (input: unknown, init: object = {}) =>
    fetchThrough(input as string, { ...init, dispatcher });
  const client = new EmbedmillClient({ ...options, url, fetch: throughAddress as unknown as typeof fetch });
  return { server: shown.href.replace(/\/+$/, ''), client };
}
