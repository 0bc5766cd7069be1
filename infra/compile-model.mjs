/**
 * Compiles the built-in model into a cache folder: `node infra/compile-model.mjs FOLDER`; used by
 * infra/Dockerfile.
 */

import { prepareModel } from '@embedmill/embed';

const [cacheDir] = process.argv.slice(2);
if (cacheDir === undefined) throw new Error('usage: node infra/compile-model.mjs FOLDER');
const startedAt = performance.now();
const { name, fingerprint } = await prepareModel({ precision: 'int8', cacheDir });
console.log(`${name} ${fingerprint} compiled in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
