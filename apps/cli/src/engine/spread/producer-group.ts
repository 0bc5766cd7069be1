/**
 * Several producers that share the rows of one dataset, behind the calls that one producer has.
 *
 * Each has a run of its own, which keeps the numbers of its parts in the dataset. A part goes to the producer
 * that has the least work ahead of it, and stays with it: while a producer does not answer, its parts wait and
 * the others take all further ones.
 */

import { EventEmitter, once, setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiError,
  type CallOptions,
  type EmbedmillClient,
  followParts,
  type KnownPart,
  type NewRun,
  type PartVectors,
  type ReadPartOptions,
  type RetryOptions,
  withRetry,
} from '@embedmill/client';
import {
  DEFAULT_PART_ROWS,
  EmbedmillError,
  type Health,
  type HealthProblem,
  type PartReceipt,
  type RunInfo,
  UPLOADS_AT_A_TIME,
} from '@embedmill/contract';
import { idsIn, type ProducerShare, type RunClient } from '../run/run-client.ts';
import { assertSameVersion, assertSameWorkers } from './agreement.ts';
import { combineRuns } from './combine-runs.ts';
import { PartMap } from './part-map.ts';

/** One producer of a group. */
export interface GroupMember {
  /** Its URL in messages. */
  server: string;
  client: EmbedmillClient;
}

/** Dependencies of a {@link ProducerGroup}. */
export interface ProducerGroupDeps {
  /** At least two. */
  members: readonly GroupMember[];
  /** Path of the part map in the work folder. */
  partMapPath: string;
  /** Receives the reason why a producer does not answer, and `null` when all do again. */
  onWait: (reason: string | null) => void;
  /** Ends all calls; its reason is thrown. */
  signal: AbortSignal;
}

/** Rows that a producer gets ahead of its workers: as many as it embeds in this time … */
const AHEAD_SECONDS = 10;
/** … and at least these, so that its rate shows. */
const MIN_AHEAD_ROWS = 8 * DEFAULT_PART_ROWS;

/** Maximum wait for the state of a run; a producer that needs longer is shown as it was … */
const MAX_ANSWER_MS = 1_000;
/** … and after this time as one that does not answer. */
const SILENCE_MS = 3_000;

/** A member with its run. */
interface Member extends GroupMember {
  /** Position in the part map. */
  position: number;
  run: string | null;
  /** State of the run at its last answer. */
  info: RunInfo | null;
  /** A request for the state; `null` if none is pending. */
  pending: Promise<void> | null;
  /** When it began, according to `performance.now`. */
  askedAt: number;
  /** Why it does not answer; `null` while it does. */
  waitsFor: string | null;
  /** A failure that another request does not end. */
  failure: unknown;
  /** Parts that were assigned to it in this attempt and have no receipt yet. */
  uploading: Set<number>;
  /** Rows of the parts that it has. */
  rows: number;
}

/** The calls to several producers. `createRun`, or `getRun` with the ids of an earlier attempt, comes first. */
export class ProducerGroup implements RunClient {
  readonly #deps: ProducerGroupDeps;
  #members: Member[];
  #parts: PartMap | null = null;
  /** The assignment of the latest part: parts are assigned in order. */
  #assigning: Promise<unknown> = Promise.resolve();
  /** Emits `change` when a member may take another part. */
  readonly #events = new EventEmitter();

  constructor(deps: ProducerGroupDeps) {
    this.#deps = deps;
    this.#members = deps.members.map((member, position) => ({
      ...member,
      position,
      run: null,
      info: null,
      pending: null,
      askedAt: 0,
      waitsFor: null,
      failure: null,
      uploading: new Set(),
      rows: 0,
    }));
    // Every part and producer that waits adds a listener.
    setMaxListeners(0, this.#events, deps.signal);
  }

  get url(): string {
    return this.#members.map(({ server }) => server).join(',');
  }

  get uploads(): number {
    return UPLOADS_AT_A_TIME * this.#members.length;
  }

  /**
   * Creates a run at each producer. A repeated call creates only those that are missing.
   * @throws {EmbedmillError} `producers-differ`, `producer-refuses`; then no run is left
   */
  async createRun(run: NewRun, requestKey: string): Promise<RunInfo> {
    try {
      await assertSameVersion(this.#members);
      for (const member of this.#members) {
        if (member.run !== null) continue;
        member.info = await member.client.createRun(run, { idempotencyKey: requestKey }).catch((error) => {
          throw error instanceof ApiError ? this.#refusal(member, error) : error;
        });
        member.run = member.info.id;
      }
      const info = this.#combined();
      if (info.options.precision === 'int8') await assertSameWorkers(this.#members, info.options.model);
      this.#parts = await PartMap.create(this.#deps.partMapPath);
      return info;
    } catch (error) {
      if (error instanceof EmbedmillError) await this.#deleteRuns();
      throw error;
    }
  }

  /**
   * The state of all runs. Waits for the first answer of each producer; later, one that does not answer is shown as
   * it was, and asked again until it does.
   */
  async getRun(id: string): Promise<RunInfo> {
    if (this.#members.some(({ run }) => run === null)) await this.#adopt(idsIn(id));
    for (const member of this.#members) member.pending ??= this.#ask(member);
    const isFirst = this.#members.some(({ info }) => info === null);
    const answers = this.#members.filter(({ waitsFor }) => isFirst || waitsFor === null);
    const deadline = new AbortController();
    await Promise.race([
      Promise.all(answers.map(({ pending }) => pending)),
      ...(isFirst ? [] : [sleep(MAX_ANSWER_MS, undefined, { signal: deadline.signal })]),
    ]).finally(() => deadline.abort());
    for (const member of this.#members) {
      if (member.failure !== null) throw member.failure;
      const isSilent = member.pending !== null && performance.now() - member.askedAt > SILENCE_MS;
      if (isSilent && member.waitsFor === null) {
        this.#setWait(member, `no response from ${member.server} for ${SILENCE_MS / 1000} s`);
      }
    }
    this.#events.emit('change');
    return this.#combined();
  }

  async getParts(): Promise<KnownPart[]> {
    const parts = this.#partMap();
    const known = await Promise.all(this.#members.map(({ client, run }) => client.getParts(run ?? '')));
    for (const [position, receipts] of known.entries()) {
      const member = this.#member(position);
      member.rows = 0;
      for (const { part, accepted } of receipts) {
        parts.confirm(part, position);
        member.rows += accepted;
      }
    }
    return known.flat();
  }

  async sendPart(
    _id: string,
    part: number,
    body: Uint8Array,
    options: CallOptions = {},
  ): Promise<PartReceipt> {
    const member = await this.#memberFor(part, options.signal ?? this.#deps.signal);
    member.uploading.add(part);
    const receipt = await member.client.sendPart(member.run ?? '', part, body, options);
    this.#partMap().confirm(part, member.position);
    member.uploading.delete(part);
    member.rows += receipt.accepted;
    this.#events.emit('change');
    return receipt;
  }

  /** Seals all runs that answer before it throws for one that does not. */
  async seal(): Promise<RunInfo> {
    const seals = this.#members.map(async (member) => {
      member.info = await member.client.seal(member.run ?? '');
    });
    for (const result of await Promise.allSettled(seals)) {
      if (result.status === 'rejected') throw result.reason;
    }
    return this.#combined();
  }

  /** The problems of all producers whose runs are active and that answer. */
  async getHealth({ signal }: CallOptions = {}): Promise<Health> {
    const active = this.#members.filter(({ info }) => info === null || info.endedAt === null);
    const answers = active.map(async ({ client, server, run }): Promise<HealthProblem[]> => {
      const { problems } = await client.getHealth({ signal });
      return problems
        .filter((problem) => problem.run === null || problem.run === run)
        .map((problem) => ({ ...problem, sentence: `${server}: ${problem.sentence}` }));
    });
    const problems = (await Promise.all(answers.map((answer) => answer.catch(() => [])))).flat();
    const state = problems.some(({ refusesRows }) => refusesRows) ? 'unavailable' : 'degraded';
    return {
      state: problems.length === 0 ? 'ok' : state,
      sentence: problems[0]?.sentence ?? 'All producers answer.',
      problems,
    };
  }

  /** Each part comes from the producer that has it. */
  followParts(
    _id: string,
    parts: Iterable<number> | AsyncIterable<number>,
    options: RetryOptions = {},
  ): AsyncGenerator<PartVectors> {
    const read = async (part: number, call: ReadPartOptions) => {
      const { client, run } = await this.#holderOf(part, call.signal ?? this.#deps.signal);
      return client.readPart(run ?? '', part, call);
    };
    return followParts(parts, read, options);
  }

  shares(): ProducerShare[] {
    return this.#members.map(({ server, run, info }) => ({
      server,
      run: run ?? '',
      rows: info?.rows.done ?? 0,
    }));
  }

  /** Finds the runs of an earlier attempt; a name may resolve to its addresses in another order. */
  async #adopt(ids: readonly string[]): Promise<void> {
    const found: Member[] = [];
    for (const id of ids) {
      const free = this.#members.filter((member) => !found.includes(member));
      const inOrder = [...free].sort(
        (a, b) => Number(a.position !== found.length) - Number(b.position !== found.length),
      );
      const member = await firstWith(inOrder, ({ client }) => hasRun(client, id));
      if (member === undefined || ids.length !== this.#members.length) {
        throw new EmbedmillError(
          'run-gone',
          `run ${id} from the previous attempt is on none of ${this.url}; give the same producers to resume, ` +
            'or add --overwrite to start over',
        );
      }
      found.push(member);
    }
    this.#members = found.map((member, position) => ({ ...member, position, run: ids[position] ?? null }));
    this.#parts = await PartMap.read(this.#deps.partMapPath);
  }

  /** Requests the state until there is an answer. */
  async #ask(member: Member): Promise<void> {
    const { signal } = this.#deps;
    const onWait = (reason: string | null) => this.#setWait(member, reason);
    member.askedAt = performance.now();
    try {
      member.info = await withRetry(() => member.client.getRun(member.run ?? ''), { signal, onWait });
      if (member.waitsFor !== null) this.#setWait(member, null);
    } catch (error) {
      const { server } = member;
      member.failure =
        error instanceof ApiError
          ? new EmbedmillError('producer-refuses', `${server}: ${error.message} (${error.status})`, {
              cause: error,
            })
          : error;
    } finally {
      member.pending = null;
    }
  }

  #setWait(member: Member, reason: string | null): void {
    member.waitsFor =
      reason === null || reason.includes(member.server) ? reason : `${member.server}: ${reason}`;
    const waiting = this.#members.filter(({ waitsFor }) => waitsFor !== null);
    const others = waiting.length < this.#members.length ? '; the other producers continue' : '';
    const [first] = waiting;
    this.#deps.onWait(first === undefined ? null : `${first.waitsFor}${others}`);
  }

  /** The producer of a part; waits until one may take it. */
  async #memberFor(part: number, signal: AbortSignal): Promise<Member> {
    const parts = this.#partMap();
    const known = parts.producerOf(part);
    if (known !== undefined) return this.#member(known);
    const assignment = this.#assigning.then(async () => {
      const member = await this.#freeMember(signal);
      await parts.assign(part, member.position);
      member.uploading.add(part);
      this.#events.emit('change');
      return member;
    });
    this.#assigning = assignment.catch(() => {});
    return assignment;
  }

  /** The producer that has a part or will have it; waits until one is chosen. */
  async #holderOf(part: number, signal: AbortSignal): Promise<Member> {
    for (;;) {
      signal.throwIfAborted();
      const position = this.#partMap().producerOf(part);
      if (position !== undefined) return this.#member(position);
      await once(this.#events, 'change', { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /** The producer with the least work ahead; waits while all have enough. */
  async #freeMember(signal: AbortSignal): Promise<Member> {
    for (;;) {
      signal.throwIfAborted();
      const free = this.#members.filter(
        (member) => member.uploading.size < UPLOADS_AT_A_TIME && loadOf(member) < 1,
      );
      const [first, ...others] = free;
      if (first !== undefined) return others.reduce((a, b) => (loadOf(b) < loadOf(a) ? b : a), first);
      await once(this.#events, 'change', { signal }).catch(() => signal.throwIfAborted());
    }
  }

  #combined(): RunInfo {
    return combineRuns(
      this.#members.map(({ server, info, waitsFor }) => {
        if (info === null) throw new Error('internal error: the state of a run is not known');
        // The rates are of the time when it answered.
        const rates = { rowsPerSecond: 0, tokensPerSecond: 0, etaSeconds: null };
        return { server, info: waitsFor === null || info.endedAt !== null ? info : { ...info, ...rates } };
      }),
    );
  }

  #refusal({ server }: Member, error: ApiError): EmbedmillError {
    const accepted = this.#members.filter(({ run }) => run !== null).map((member) => member.server);
    const others = accepted.length === 0 ? '' : `; ${accepted.join(', ')} accepted it`;
    const key =
      error.status === 401 || error.status === 403 ? '. EMBEDMILL_API_KEY is sent to all of them' : '';
    return new EmbedmillError(
      'producer-refuses',
      `${server} refused the run: ${error.message} (${error.status})${others}${key}`,
      { cause: error },
    );
  }

  async #deleteRuns(): Promise<void> {
    for (const member of this.#members) {
      if (member.run !== null) await member.client.delete(member.run).catch(() => {});
      member.run = null;
    }
  }

  #member(position: number): Member {
    const member = this.#members[position];
    if (member !== undefined) return member;
    throw new EmbedmillError(
      'part-map-damaged',
      `the file ${this.#deps.partMapPath} names producer ${position + 1} of ${this.#members.length}; add --overwrite to start over`,
    );
  }

  #partMap(): PartMap {
    if (this.#parts === null) throw new Error('internal error: the group has no runs');
    return this.#parts;
  }
}

/** Rows ahead of the workers of a producer, as a share of what it may have: from 1 on it gets no more. */
function loadOf({ info, rows, uploading }: Member): number {
  const ahead = rows - (info?.rows.done ?? 0) + uploading.size * DEFAULT_PART_ROWS;
  return ahead / Math.max(MIN_AHEAD_ROWS, AHEAD_SECONDS * (info?.rowsPerSecond ?? 0));
}

async function hasRun(client: EmbedmillClient, id: string): Promise<boolean> {
  try {
    await client.getRun(id);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

async function firstWith<Value>(
  values: readonly Value[],
  holds: (value: Value) => Promise<boolean>,
): Promise<Value | undefined> {
  for (const value of values) if (await holds(value)) return value;
  return undefined;
}
