/**
 * Finds the primary of Sentinels, or the node of a cluster that has all keys of a prefix, and moves all connections of the process
 * there after a failover.
 *
 * A fleet needs one node only, because all its keys have the same hash tag. So each connection is an ordinary one to this node,
 * also for subscriptions: the subscribers of a channel are counted on one node. Decision: docs/decisions/0203.
 */

import type { Socket } from 'node:net';
import { asError } from '@embedmill/contract';
import type { RedisAddress, RedisEndpoint } from '../../process/config/redis-url.ts';
import { type AskOptions, askNode, askSentinel } from './ask.ts';

/** The primary of one URL, shared by all connections of a process. */
export class PrimaryLocator {
  readonly #address: RedisAddress;
  readonly #options: AskOptions;
  #endpoints: readonly RedisEndpoint[];
  #locating: Promise<RedisEndpoint> | undefined;
  /** Open connections and the servers they lead to. */
  readonly #streams = new Map<Socket, string>();

  constructor(address: RedisAddress, options: AskOptions) {
    this.#address = address;
    this.#options = options;
    this.#endpoints = address.endpoints;
  }

  /** The primary now; connections to any other server are closed, so that they are opened again. @throws if nobody knows it */
  locate(): Promise<RedisEndpoint> {
    this.#locating ??= this.#locate().finally(() => {
      this.#locating = undefined;
    });
    return this.#locating;
  }

  /** Registers a connection until it is closed. */
  watch(stream: Socket, endpoint: RedisEndpoint): void {
    this.#streams.set(stream, nameOf(endpoint));
    stream.once('close', () => this.#streams.delete(stream));
  }

  async #locate(): Promise<RedisEndpoint> {
    const askOne = this.#address.kind === 'sentinel' ? askSentinel : askNode;
    let failure: Error | undefined;
    for (const endpoint of this.#endpoints) {
      try {
        const { primary, known } = await askOne(endpoint, this.#address, this.#options);
        this.#remember([endpoint, ...known]);
        const name = nameOf(primary);
        for (const [stream, other] of this.#streams) if (other !== name) stream.destroy();
        return primary;
      } catch (error) {
        // A reply says more than a connection that was refused.
        const isReply = /^[A-Z]+ /.test(asError(error).message);
        if (failure === undefined || isReply) failure = asError(error);
      }
    }
    throw failure!;
  }

  /** The next search starts with those that answered; the ones of the URL stay, as the others may all leave the cluster. */
  #remember(endpoints: readonly RedisEndpoint[]): void {
    const byName = new Map([...endpoints, ...this.#address.endpoints].map((each) => [nameOf(each), each]));
    this.#endpoints = [...byName.values()];
  }
}

function nameOf({ host, port }: RedisEndpoint): string {
  return `${host}:${port}`;
}
