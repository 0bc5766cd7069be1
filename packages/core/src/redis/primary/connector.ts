/** Opens the sockets of ioredis connections to the primary that a locator finds. */

import { connect as connectTcp, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { asError } from '@embedmill/contract';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { PrimaryLocator } from './locator.ts';

/** A `Connector` class for the options of ioredis. */
export function connectorTo(locator: PrimaryLocator): NonNullable<RedisOptions['Connector']> {
  return class PrimaryConnector extends AbstractConnector {
    readonly #options: RedisOptions;
    #cancel: () => void = () => {};

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? 0);
      this.#options = options as RedisOptions;
    }

    /** Never rejects: ioredis would not try again. It reports the `firstError` of a destroyed socket and reconnects. */
    override async connect(): Promise<Socket> {
      this.connecting = true;
      const cancelled = new Promise<never>((_, reject) => {
        this.#cancel = () => reject(new Error('Connection is closed.'));
      });
      try {
        const endpoint = await Promise.race([locator.locate(), cancelled]);
        const { family, tls } = this.#options;
        const options = { ...endpoint, ...(family === undefined ? {} : { family }) };
        const stream = tls === undefined ? connectTcp(options) : connectTls({ ...options, ...tls });
        locator.watch(stream, endpoint);
        return this.#keep(stream);
      } catch (error) {
        this.firstError = asError(error);
        return this.#keep(new Socket().destroy());
      }
    }

    override disconnect(): void {
      this.#cancel();
      super.disconnect();
    }

    /** Whether a server, according to its INFO, is the primary: a Sentinel may know of a failover a moment later than the server. */
    override check({ role }: { role?: string }): boolean {
      return role === undefined || role === 'master';
    }

    #keep(stream: Socket): Socket {
      this.stream = stream;
      return stream;
    }
  };
}
