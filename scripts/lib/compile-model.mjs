/** Compiles the model into the cache. Separate process of setup.mjs, because ONNX Runtime stays in memory. */

import { statSync } from 'node:fs';
import { readConfig } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import { main } from './main.mjs';

await main(async () => {
  const startedMs = Date.now();
  const { cacheDir } = readConfig(process.env);
  const { modelPath } = await prepareModel({ precision: 'int8', cacheDir });
  console.log(statSync(modelPath).mtimeMs >= startedMs ? 'compiled' : 'cached');
});
