/** A TCP proxy that injects network faults between a process and its Redis. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Faults of the network, in both directions. */
export interface NetworkFaults {
  /** Delay of all bytes. */
  latencyMs: number;
  /** Maximum bytes per second in each direction of each connection. */
  bytesPerSecond: number;
  /** Share of new connections (0 to 1) that are reset within their first `resetWithinMs`. */
  resetShare: number;
  resetWithinMs: number;
  /**
   * `pass`; `freeze`: bytes wait until they may pass again; `vanish`: connections that send a byte are silent
   * from then on.
   */
  traffic: 'pass' | 'freeze' | 'vanish';
  /** `vanish`: replies of the target are lost on an open connection; what clients send passes. */
  answers: 'pass' | 'vanish';
  /**
   * Holds back the bytes of a client from the first chunk with this text on, while it is set; empty: none.
   */
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

/** Maximum buffered bytes per direction; then the proxy stops reading, which slows the sender down. */
const MAX_HELD_BYTES = 256 * 1024;

/** Listens on a free port of 127.0.0.1 from `start` to `stop`. */
export class FaultProxy {
  readonly #target: { host: string; port: number };
  readonly #random: () => number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #faults = SOUND_NETWORK;
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes sent by clients so far. */
  clientBytes = 0;
  #cutAfterBytes = Number.POSITIVE_INFINITY;

  /** @param random numbers from 0 to 1 that decide which connections are reset. Default `Math.random` */
  constructor(target: { host: string; port: number }, random: () => number = Math.random) {
    this.#target = target;
    this.#random = random;
    // The end of one side must be an event, and not end the other side automatically.
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#links.size;
  }

  /** Listens on a free port; after `stop`, on the same one again. */
  async start(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Changes the given faults for all connections, including open ones. */
  set(faults: Partial<NetworkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
    for (const link of this.#links) link.faults = this.#faults;
  }

  /** Resets every open connection (RST, not FIN). */
  reset(): void {
    for (const link of [...this.#links]) link.reset();
  }

  /** True when bytes wait because of `holdAt`. */
  get isHolding(): boolean {
    return [...this.#links].some((link) => link.isHolding);
  }

  /** Forwards this many more bytes of clients in total, then resets every connection once. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** Leaves every open connection half open: closed for the target, silent for the client. */
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

  /** The part of a chunk that may pass before all connections are cut. */
  #allow(chunk: Buffer): Buffer {
    this.clientBytes += chunk.byteLength;
    const allowed = chunk.subarray(0, this.#cutAfterBytes);
    this.#cutAfterBytes -= chunk.byteLength;
    if (this.#cutAfterBytes > 0) return allowed;
    this.#cutAfterBytes = Number.POSITIVE_INFINITY;
    // The target gets what passed before its connection is reset.
    setTimeout(() => this.reset(), 20);
    return allowed;
  }
}

/** One connection through the proxy: two sockets and a queue of bytes per direction. */
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
    // Resets are reported as errors; the close event that follows ends the other side.
    from.on('error', () => {});
    from.once('close', () => push(() => void (this.#isHalf || to.destroy())));
  }

  async #deliver(to: Socket, chunk: Buffer, dueAt: number): Promise<void> {
    const waitMs = dueAt - Date.now() + (1000 * chunk.byteLength) / this.faults.bytesPerSecond;
    if (waitMs >= 1) await sleep(waitMs);
    while (this.faults.traffic === 'freeze' && !to.destroyed) await sleep(10);
    if (to === this.#target) await this.#hold(chunk);
    else if (this.faults.answers === 'vanish') return;
    // TCP never loses bytes in the middle, so a connection that lost one forwards no more.
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
