/** Starts a private Redis in the given folder, prints its URL, and runs until it is killed. */

import { resolveRedis } from '@embedmill/core/process';

const [dataDir, cacheDir] = process.argv.slice(2);
const redis = await resolveRedis({ dataDir, cacheDir });
console.log(JSON.stringify({ url: redis.url, pid: redis.pid }));
setInterval(() => {}, 1_000);
