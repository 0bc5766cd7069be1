/** A TCP proxy that makes the network bad on purpose; fault tests put it between a process and its Redis. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the network does to the bytes of both directions. */
export interface NetworkFaults {
  /** Bytes are held back for so long. */
  latencyMs: number;
  /** Most bytes per second in each direction of each connection. */
  bytesPerSecond: number;
  /** Share of new connections (0 to 1) that are reset within their first `resetWithinMs`. */
  resetShare: number;
  resetWithinMs: number;
  /** `pass`; `freeze`: bytes wait until they may pass again; `vanish`: connections that bring a byte are mute for ever. */
  traffic: 'pass' | 'freeze' | 'vanish';
  /** `vanish`: what the target answers is lost, on a connection that seems to be sound; what clients send passes. */
  answers: 'pass' | 'vanish';
  /** A client's bytes wait from the first on that brings this text, for as long as it is given; empty: none does. */
  holdAt: string;
}

/** A network without faults. */
export const SOUND_NETWORK: NetworkFaults = {
  latencyMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  resetShare: 0,
  resetWithinMs: 1000,
  traffic: 'pass',
  answers: 'pass',
  holdAt: '',
};

/** Bytes of one direction that the proxy holds before it stops reading: a slow network slows its sender down. */
const MAX_HELD_BYTES = 256 * 1024;

/** Listens on a free port of the loopback from `start` to `stop`. */
export class FaultProxy {
  readonly #target: { host: string; port: number };
  readonly #random: () => number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #faults = SOUND_NETWORK;
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes that clients sent so far. */
  clientBytes = 0;
  #cutAfterBytes = Number.POSITIVE_INFINITY;

  /** @param random 0 to 1, decides which connections are reset; a seeded one repeats its decisions. Default `Math.random` */
  constructor(target: { host: string; port: number }, random: () => number = Math.random) {
    this.#target = target;
    this.#random = random;
    // An end of one side must reach us as an event, not as an end of the other side.
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Listens; on `port` again after `stop`, else on a free one. */
  async start(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Changes the network for all connections, those that are open too. What is not given stays. */
  set(faults: Partial<NetworkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
    for (const link of this.#links) link.faults = this.#faults;
  }

  /** Resets every connection that is open (RST, not FIN). */
  reset(): void {
    for (const link of [...this.#links]) link.reset();
  }

  /** True when bytes wait because of `holdAt`. */
  get isHolding(): boolean {
    return [...this.#links].some((link) => link.isHolding);
  }

  /** Lets so many more bytes of clients through, all connections together, then resets every connection once. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** Leaves every open connection half open: the target is told that it is over, the client hears nothing any more. */
  halve(): void {
    for (const link of this.#links) link.halve();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    const link = new Link(client, connect({ ...this.#target, allowHalfOpen: true }), this.#faults, (chunk) =>
      this.#allow(chunk),
    );
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    if (this.#random() >= this.#faults.resetShare) return;
    const timer = setTimeout(() => link.reset(), this.#random() * this.#faults.resetWithinMs);
    client.once('close', () => clearTimeout(timer));
  }

  /** What may pass of a client's bytes before all connections are cut. */
  #allow(chunk: Buffer): Buffer {
    this.clientBytes += chunk.byteLength;
    const allowed = chunk.subarray(0, this.#cutAfterBytes);
    this.#cutAfterBytes -= chunk.byteLength;
    if (this.#cutAfterBytes > 0) return allowed;
    this.#cutAfterBytes = Number.POSITIVE_INFINITY;
    // The target has what passed before its connection is gone.
    setTimeout(() => this.reset(), 20);
    return allowed;
  }
}

/** One connection through the proxy: two sockets and a line of bytes in each direction. */
class Link {
  faults: NetworkFaults;
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #allow: (chunk: Buffer) => Buffer;
  #isHalf = false;
  #isMute = false;
  isHolding = false;

  constructor(client: Socket, target: Socket, faults: NetworkFaults, allow: (chunk: Buffer) => Buffer) {
    this.#client = client;
    this.#target = target;
    this.faults = faults;
    this.#allow = allow;
    this.#lead(client, target);
    this.#lead(target, client);
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#target.resetAndDestroy();
  }

  halve(): void {
    this.#isHalf = true;
    this.#target.destroy();
  }

  #lead(from: Socket, to: Socket): void {
    let heldBytes = 0;
    let line = Promise.resolve();
    const push = (step: () => Promise<void> | void) => {
      line = line.then(step);
    };
    from.on('data', (chunk: Buffer) => {
      const dueAt = Date.now() + this.faults.latencyMs;
      heldBytes += chunk.byteLength;
      if (heldBytes > MAX_HELD_BYTES) from.pause();
      push(async () => {
        await this.#deliver(to, chunk, dueAt);
        heldBytes -= chunk.byteLength;
        if (heldBytes <= MAX_HELD_BYTES) from.resume();
      });
    });
    from.once('end', () => push(() => void (this.#isHalf || to.end())));
    // Resets arrive as errors; the close that follows ends the other side too.
    from.on('error', () => {});
    from.once('close', () => push(() => void (this.#isHalf || to.destroy())));
  }

  async #deliver(to: Socket, chunk: Buffer, dueAt: number): Promise<void> {
    const waitMs = dueAt - Date.now() + (1000 * chunk.byteLength) / this.faults.bytesPerSecond;
    if (waitMs >= 1) await sleep(waitMs);
    while (this.faults.traffic === 'freeze' && !to.destroyed) await sleep(10);
    if (to === this.#target) await this.#hold(chunk);
    else if (this.faults.answers === 'vanish') return;
    // TCP never loses bytes from the middle: a connection that lost one never passes another.
    if (this.faults.traffic === 'vanish') this.#isMute = true;
    if (to.destroyed || this.#isMute) return;
    if (!to.write(to === this.#target ? this.#allow(chunk) : chunk))
      await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
  }

  async #hold(chunk: Buffer): Promise<void> {
    const { holdAt } = this.faults;
    if (holdAt === '' || !chunk.includes(holdAt)) return;
    this.isHolding = true;
    while (this.faults.holdAt === holdAt && !this.#target.destroyed) await sleep(10);
    this.isHolding = false;
  }
}
