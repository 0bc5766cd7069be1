/** Combines the runs of several producers into one, and checks that their vectors are comparable. */

import {
  describeUnknownTokens,
  EmbedmillError,
  emptyVerdictCounts,
  type RunInfo,
  type RunState,
} from '@embedmill/contract';
import { joinIds } from '../run/run-client.ts';

/** The run of one producer. */
export interface MemberRun {
  /** URL of the producer. */
  server: string;
  info: RunInfo;
}

/**
 * The runs as one: counts and rates are sums, the time left is that of the slowest, and it is completed when
 * all are.
 * @param members at least one
 * @throws {EmbedmillError} `producers-differ` if they do not compute the same vectors
 */
export function combineRuns(members: readonly MemberRun[]): RunInfo {
  assertEqual(members, 'the model', ({ options }) => options.model);
  assertEqual(members, 'the fingerprint', ({ fingerprint }) => fingerprint);
  const infos = members.map(({ info }) => info);
  const [first] = infos;
  if (first === undefined) throw new Error('internal error: no runs to combine');
  const sum = (count: (info: RunInfo) => number) => infos.reduce((total, info) => total + count(info), 0);
  const state = stateOf(infos);
  const verdicts = emptyVerdictCounts();
  for (const info of infos) {
    for (const verdict of Object.keys(verdicts) as (keyof typeof verdicts)[]) {
      verdicts[verdict] += info.verdicts[verdict];
    }
  }
  const times = (of: 'sealedAt' | 'endedAt') => {
    const given = infos.map((info) => info[of]).filter((time) => time !== null);
    return given.length === infos.length ? (given.sort().at(-1) ?? null) : null;
  };
  const firstText = (of: 'error' | 'waitsFor') => {
    const member = members.find(({ info }) => info[of] !== null);
    return member === undefined ? null : `${member.server}: ${member.info[of]}`;
  };
  const tokens = sum((info) => info.tokens);
  const specialTokens = sum((info) => info.specialTokens);
  const unknownTokens = sum((info) => info.unknownTokens);
  const unknownScript = unknownScriptOf(infos);
  return {
    id: joinIds(infos.map(({ id }) => id)),
    state,
    options: first.options,
    createdAt: first.createdAt,
    sealedAt: times('sealedAt'),
    endedAt: times('endedAt'),
    error: firstText('error'),
    waitsFor: firstText('waitsFor'),
    bytes: sum(({ bytes }) => bytes),
    keepDays: first.keepDays,
    expiresAt: first.expiresAt,
    parts: sum(({ parts }) => parts),
    rows: {
      accepted: sum(({ rows }) => rows.accepted),
      rejected: sum(({ rows }) => rows.rejected),
      done: sum(({ rows }) => rows.done),
    },
    batches: {
      total: sum(({ batches }) => batches.total),
      done: sum(({ batches }) => batches.done),
      stored: sum(({ batches }) => batches.stored),
    },
    verdicts,
    tokens,
    lostTokens: sum(({ lostTokens }) => lostTokens),
    specialTokens,
    unknownTokens,
    unknownScript,
    languageSignal: describeUnknownTokens(
      { tokens, specialTokens, unknownTokens, unknownScript },
      first.options.model,
    ),
    chunkedRows: sum(({ chunkedRows }) => chunkedRows),
    replacements: sum(({ replacements }) => replacements),
    rowsPerSecond: sum(rateOf('rowsPerSecond', state)),
    tokensPerSecond: sum(rateOf('tokensPerSecond', state)),
    etaSeconds: etaOf(infos),
    dim: infos.find(({ dim }) => dim !== null)?.dim ?? null,
    fingerprint: infos.find(({ fingerprint }) => fingerprint !== null)?.fingerprint ?? null,
  };
}

/** A run that has ended states its mean rate, which is not a part of the current rate of the others. */
function rateOf(of: 'rowsPerSecond' | 'tokensPerSecond', state: RunState): (info: RunInfo) => number {
  const isActive = state === 'open' || state === 'sealed';
  return (info) => (isActive && info.endedAt !== null ? 0 : info[of]);
}

function stateOf(infos: readonly RunInfo[]): RunState {
  const order: readonly RunState[] = ['failed', 'cancelled', 'open', 'sealed'];
  return order.find((state) => infos.some((info) => info.state === state)) ?? 'completed';
}

function etaOf(infos: readonly RunInfo[]): number | null {
  const active = infos.filter(({ endedAt }) => endedAt === null);
  const times = active.map(({ etaSeconds }) => etaSeconds).filter((seconds) => seconds !== null);
  return times.length === 0 || times.length < active.length ? null : Math.max(...times);
}

/** Each run states the script of most of its unknown tokens: that of the run with the most of them. */
function unknownScriptOf(infos: readonly RunInfo[]): string | null {
  const most = infos.reduce((a, b) => (b.unknownTokens > a.unknownTokens ? b : a));
  return most.unknownScript;
}

/** Values that are not known yet (`null`) are equal to every other. */
function assertEqual(
  members: readonly MemberRun[],
  what: string,
  pick: (info: RunInfo) => string | null,
): void {
  const known = members.filter(({ info }) => pick(info) !== null);
  const [first] = known;
  const other = known.find(({ info }) => first !== undefined && pick(info) !== pick(first.info));
  if (first === undefined || other === undefined) return;
  throw producersDiffer(what, [first.server, pick(first.info) ?? ''], [other.server, pick(other.info) ?? '']);
}

/** The error for two producers whose vectors may differ. @param first URL and value of the one, `second` of the other */
export function producersDiffer(
  what: string,
  first: readonly [server: string, value: string],
  second: readonly [server: string, value: string],
): EmbedmillError {
  return new EmbedmillError(
    'producers-differ',
    `${what} of ${first[0]} is ${first[1]}, that of ${second[0]} is ${second[1]}; the producers of one output must agree`,
  );
}
