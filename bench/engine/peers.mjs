/**
 * Installs the packages of the peers in bench/peers, and writes the model as a folder in the layout of the
 * hub.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readBuiltInWeights } from '../../packages/embed/dist/prepare/built-in.js';
import { exportGguf } from './export-gguf.mjs';
import { exportGraph } from './export-graph.mjs';

const root = fileURLToPath(new URL('../peers', import.meta.url));

/** Installs the packages of the peers from their own lock file, once. */
export function installPeers() {
  if (existsSync(join(root, 'node_modules/@huggingface/transformers'))) return;
  console.error('installing the peers in bench/peers (once, about 500 MB) …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** @returns {Promise<string>} version of an installed peer */
export async function peerVersion(name) {
  return JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Imports a module of a peer, which is not a dependency of this repository. */
export async function importPeer(name, entry) {
  return import(join(root, 'node_modules', name, entry));
}

/** Whether a peer is installed that is too large for every run of the bench. */
export function hasPeer(name) {
  return existsSync(join(root, 'node_modules', name));
}

/** Writes the model as a GGUF file in q8_0, once; returns its path. */
export async function ggufFile(tokenizerPath) {
  const path = join(root, '.model/all-MiniLM-L6-v2-q8_0.gguf');
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const { model } = JSON.parse(await readFile(tokenizerPath, 'utf8'));
  await writeFile(`${path}.new`, exportGguf(await readBuiltInWeights(), model.vocab));
  await rename(`${path}.new`, path);
  return path;
}

/**
 * Writes the model files as the hub serves them, once.
 * @param {string} tokenizerPath path of tokenizer.json of the built-in model
 * @returns {Promise<string>} the folder
 */
export async function hubFolder(tokenizerPath) {
  const folder = join(root, '.model/all-MiniLM-L6-v2');
  if (existsSync(join(folder, 'complete'))) return folder;
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const weights = await readBuiltInWeights();
  await writeFile(join(folder, 'onnx/model.onnx'), exportGraph(weights, 'fp32'));
  await writeFile(join(folder, 'onnx/model_quantized.onnx'), exportGraph(weights, 'q8'));
  await copyFile(join(dirname(tokenizerPath), 'config.json'), join(folder, 'config.json'));
  const tokenizer = JSON.parse(await readFile(tokenizerPath, 'utf8'));
  await writeFile(
    join(folder, 'tokenizer.json'),
    JSON.stringify({ ...tokenizer, truncation: null, padding: null }),
  );
  await writeFile(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({
      tokenizer_class: 'BertTokenizer',
      model_max_length: 256,
      do_lower_case: true,
      pad_token: '[PAD]',
    }),
  );
  await writeFile(join(folder, 'complete'), '');
  return folder;
}
