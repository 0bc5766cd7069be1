/** Settings from the environment. */

export { type Config, describeConfig, type Environment, readConfig } from './config.ts';
