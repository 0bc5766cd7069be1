/** The interactive lane: embeds a few texts at once, ahead of all bulk work. */

export { AnswerChannels } from './answer-channels.ts';
export type { PartAnswer, PartTimings } from './answer-message.ts';
export type { CallMessage, CallPart, PartWork } from './call-message.ts';
export { CallTaker } from './call-taker.ts';
export { ModelAnnouncer } from './models.ts';
export { CALL_OUTCOMES, RedisInteractiveLane, type RedisLaneDeps, type SettledCall } from './redis-lane.ts';
export type {
  EmbedAnswer,
  EmbedCallOptions,
  EmbedTimings,
  InteractiveLane,
  ModelDescription,
} from './types.ts';
export { type WatchedPart, Withdrawals } from './withdrawals.ts';
