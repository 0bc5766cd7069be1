/**
 * Compares vectors of the exact engine and of ONNX Runtime with those of fp32 for BERT folders with an ONNX file:
 * `npm run bench:exact:models -- FOLDER… [--file PATH]… [--texts 300]`.
 * fp32 is the graph compiled from the weights of the file in float32, so that only the arithmetic differs. Prints the
 * mean, the mean of the worst 1 % and the minimum of the cosine per length of the texts.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { chooseKernel } from '@embedmill/engine';
import { compileExact } from '../../packages/embed/dist/compile/exact.js';
import { buildBertGraph } from '../../packages/embed/dist/compile/graph/bert.js';
import { fp32Arithmetic } from '../../packages/embed/dist/compile/graph/fp32.js';
import { readOnnxBertWeights } from '../../packages/embed/dist/compile/weights/onnx-weights.js';
import { describeMachine } from '../support/machine.mjs';
import { printTable } from '../support/table.mjs';
import { readTexts } from '../support/texts.mjs';
import { dot, summarise } from './cosines.mjs';

/** Upper bounds of the groups of texts, in tokens. */
const LENGTHS = [16, 64, 256, 512];
const ENGINES = ['onnx', 'exact'];

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string', multiple: true, default: [] },
    texts: { type: 'string', default: '300' },
  },
});
const { cacheDir } = readConfig(process.env);

console.log(`${describeMachine()} · kernel ${chooseKernel()}\n`);
const files = options.file.length > 0 ? options.file : [undefined];
const texts = (await Promise.all(files.map((file) => readTexts(file, Number(options.texts))))).flat();
const rows = [];
for (const folder of folders) rows.push(...(await compare(folder)));
printTable(['model', 'tokens', 'texts', 'engine', 'mean', 'worst 1 %', 'minimum'], rows);

async function compare(folder) {
  const temporary = mkdtempSync(join(tmpdir(), 'embedmill-bench-'));
  try {
    const precision = existsSync(join(folder, 'onnx/model_quantized.onnx')) ? 'int8' : 'fp32';
    const onnx = await prepareModel({ model: folder, precision, cacheDir, engine: 'onnx' });
    const pooling = onnx.pooling === 'in-graph' ? 'mean' : onnx.pooling;
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const weights = await readOnnxBertWeights(onnx.modelPath, config);
    const compiled = (name, bytes) => {
      const modelPath = join(temporary, name);
      writeFileSync(modelPath, bytes);
      return { ...onnx, modelPath, pooling: 'in-graph', optimization: 'basic' };
    };
    const fp32 = compiled('fp32.onnx', buildBertGraph(weights, fp32Arithmetic(), { pooling }).onnx);
    const exact = compiled('exact.bin', compileExact(weights, null, pooling));
    const embedders = {
      fp32: await Embedder.open(fp32),
      onnx: await Embedder.open(onnx),
      exact: await Embedder.open({ ...exact, engine: 'exact' }),
    };
    const cosines = LENGTHS.map(() => ({ onnx: [], exact: [] }));
    for (const text of texts) {
      const reference = new Float32Array(onnx.dim);
      const { verdict, tokens } = await embedders.fp32.embed(text, reference, 0);
      if (verdict !== 'ok' && verdict !== 'truncated') continue;
      const group = cosines[LENGTHS.findIndex((length) => tokens <= length)];
      for (const engine of ENGINES) {
        const vector = new Float32Array(onnx.dim);
        await embedders[engine].embed(text, vector, 0);
        group[engine].push(dot(vector, reference));
      }
    }
    await Promise.all(Object.values(embedders).map((embedder) => embedder.close()));
    return cosines.flatMap((group, i) =>
      ENGINES.filter((engine) => group[engine].length > 0).map((engine) => [
        onnx.name,
        `${(LENGTHS[i - 1] ?? 0) + 1} to ${LENGTHS[i]}`,
        group[engine].length,
        engine === 'exact' ? 'exact' : `ONNX Runtime, ${precision}`,
        ...summarise(group[engine]),
      ]),
    );
  } finally {
    rmSync(temporary, { recursive: true });
  }
}
