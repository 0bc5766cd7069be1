/** Settings from the environment. */

export { type ApiKey, type KeyList, ROLES, type Role, readKeyList } from './api-keys.ts';
export { type Config, describeConfig, type Environment, readConfig } from './config.ts';
