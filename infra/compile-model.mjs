/**
 * Compiles the built-in model for every engine into a cache folder: `node infra/compile-model.mjs FOLDER`; used
 * by infra/Dockerfile. The image may run on another CPU than this one, where another engine is faster.
 */

import { availableKernels, prepareModel } from '@embedmill/embed';

const [cacheDir] = process.argv.slice(2);
if (cacheDir === undefined) throw new Error('usage: node infra/compile-model.mjs FOLDER');
for (const engine of availableKernels().length > 0 ? ['exact', 'onnx'] : ['onnx']) {
  const startedAt = performance.now();
  const { name, fingerprint } = await prepareModel({ precision: 'int8', engine, cacheDir });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${name} for ${engine}, fingerprint ${fingerprint}, compiled in ${seconds} s`);
}
