/**
 * Measures the maximum activation per channel of every linear layer over data/calibration-sentences.txt.
 *
 * Writes data/activation-maxima.json, which the int8 compiler reads. Run it after `npm run build` whenever
 * the sentences or the weights change: `node packages/embed/scripts/calibrate.mjs`. Takes half a minute.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildBertGraph, GRAPH_INPUT } from '../dist/compile/graph/bert.js';
import { fp32Arithmetic } from '../dist/compile/graph/fp32.js';
import { ACTIVATION_MAXIMA_PATH } from '../dist/compile/quantize/activation-maxima.js';
import { prepareBuiltIn, readBuiltInWeights } from '../dist/prepare/built-in.js';
import { TextTokenizer } from '../dist/text/tokenizer.js';

const sentencesPath = new URL('../data/calibration-sentences.txt', import.meta.url);
const sentences = (await readFile(sentencesPath, 'utf8')).split('\n').filter((line) => line !== '');

const folder = await mkdtemp(join(tmpdir(), 'embedmill-calibrate-'));
try {
  const { tokenizerPath, maxTokens } = await prepareBuiltIn('fp32', folder, 127);
  const tokenizer = await TextTokenizer.read(tokenizerPath, maxTokens);
  const { onnx, taps } = buildBertGraph(await readBuiltInWeights(), fp32Arithmetic(), {
    tapLinearInputs: true,
  });
  const session = await InferenceSession.create(onnx, {
    graphOptimizationLevel: 'basic',
    intraOpNumThreads: 1,
  });
  const maxima = new Map();
  for (const sentence of sentences) {
    const { ids } = tokenizer.encode(sentence, 'end');
    const outputs = await session.run({
      [GRAPH_INPUT]: new Tensor('int32', Int32Array.from(ids), [1, ids.length]),
    });
    for (const name of new Set(taps.flatMap((tap) => Object.values(tap)))) raise(maxima, name, outputs[name]);
  }
  const layers = taps.map((tap) =>
    Object.fromEntries(Object.entries(tap).map(([role, name]) => [role, maxima.get(name).map(fourDigits)])),
  );
  const rows = layers.map((layer) => {
    const roles = Object.entries(layer).map(([role, values]) => `      "${role}": [${values.join(', ')}]`);
    return `    {\n${roles.join(',\n')}\n    }`;
  });
  const text = `{\n  "sentences": ${sentences.length},\n  "layers": [\n${rows.join(',\n')}\n  ]\n}\n`;
  await writeFile(ACTIVATION_MAXIMA_PATH, text);
  await session.release();
  process.stdout.write(`${sentences.length} sentences, ${layers.length} layers\n`);
} finally {
  await rm(folder, { recursive: true });
}

function raise(maxima, name, { data, dims }) {
  const width = dims.at(-1);
  const largest = maxima.get(name) ?? new Array(width).fill(0);
  for (let i = 0; i < data.length; i++) largest[i % width] = Math.max(largest[i % width], Math.abs(data[i]));
  maxima.set(name, largest);
}

/** Rounds to four digits: enough for a scale, and equal on every machine. */
function fourDigits(value) {
  return Number(value.toPrecision(4));
}
