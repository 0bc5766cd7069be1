/** A process that starts a private Redis in the folder it is given, says where, and stays until it is killed. */

import { resolveRedis } from '@embedmill/core/process';

const [dataDir, cacheDir] = process.argv.slice(2);
const redis = await resolveRedis({ dataDir, cacheDir });
console.log(JSON.stringify({ url: redis.url, pid: redis.pid }));
setInterval(() => {}, 1_000);
