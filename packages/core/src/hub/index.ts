/** Hub: lists and downloads models from the Hugging Face Hub, a mirror of it, or an Embedmill producer. */

export { HubError } from './hub-error.ts';
export { InstalledModels, type InstalledRepository } from './installed.ts';
export { type HubOptions, type HubSettings, hubOptionsOf } from './options.ts';
export { type PulledModel, type PullOptions, type PullProgress, pullFiles } from './pull.ts';
