/** The interactive lane: embeds a few texts at once, ahead of all bulk work. */

export { AnswerChannels } from './answer-channels.ts';
export type { CallPart, InteractiveJob, PartWork } from './job.ts';
export { JobTakers, type JobTakersDeps } from './job-takers.ts';
export type { PartAnswer, PartTimings } from './message.ts';
export { ModelAnnouncer } from './models.ts';
export { CALL_OUTCOMES, RedisInteractiveLane, type RedisLaneDeps, type SettledCall } from './redis-lane.ts';
export type {
  EmbedAnswer,
  EmbedCallOptions,
  EmbedTimings,
  InteractiveLane,
  ModelDescription,
} from './types.ts';
export { Withdrawals } from './withdrawals.ts';
