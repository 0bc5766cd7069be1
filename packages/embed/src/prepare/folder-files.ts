/**
 * Finds and reads the files of a model folder in the layout of the Hugging Face Hub, and explains what is missing.
 */

import { access, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Precision } from '@embedmill/contract';
import { EmbedError } from '../errors.ts';

/** Name of the weights file, as sentence-transformers saves it. */
export const WEIGHTS_FILE = 'model.safetensors';

/**
 * Names that converters give the ONNX files of each precision, best first. Half-precision weights are exact in
 * float32.
 */
export const ONNX_FILES: Record<Precision, readonly string[]> = {
  int8: [
    'onnx/model_quantized.onnx',
    'onnx/model_int8.onnx',
    'onnx/model_uint8.onnx',
    'onnx/model_qint8_avx512_vnni.onnx',
    'onnx/model_qint8_avx512.onnx',
    'onnx/model_quint8_avx2.onnx',
    'onnx/model_qint8_arm64.onnx',
    'model_quantized.onnx',
  ],
  fp32: ['onnx/model.onnx', 'model.onnx', 'onnx/model_fp16.onnx', 'model_fp16.onnx'],
};

/** Begin of a file that stands for another one in a Git repository. */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Returns whether a file exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Checks that a file is there, with its content.
 * @param root absolute path of the model folder
 * @throws {EmbedError} `MODEL_NOT_FOUND`; `MODEL_INVALID` for a Git LFS pointer
 */
export async function assertFile(root: string, file: string): Promise<void> {
  const path = join(root, file);
  if (!(await exists(path))) {
    throw new EmbedError('MODEL_NOT_FOUND', `the model folder "${root}" has no "${file}"`);
  }
  await assertNoPointer(path);
}

/**
 * Returns the ONNX file of a precision, relative to the folder; undefined if there is none.
 * @throws {EmbedError} `MODEL_INVALID` for a Git LFS pointer
 */
export async function findOnnxFile(root: string, precision: Precision): Promise<string | undefined> {
  for (const file of ONNX_FILES[precision]) {
    if (!(await exists(join(root, file)))) continue;
    await assertNoPointer(join(root, file));
    return file;
  }
  return undefined;
}

/** Returns the error of a folder without a model of this precision, with what it has instead. */
export async function noModelFile(root: string, precision: Precision): Promise<EmbedError> {
  const [expected] = ONNX_FILES[precision];
  const base = `the model folder "${root}" has no "${expected}"`;
  const other: Precision = precision === 'int8' ? 'fp32' : 'int8';
  const otherFile = await findOnnxFile(root, other).catch(() => undefined);
  const names = [...(await filesOf(root, '')), ...(await filesOf(root, 'onnx/'))];
  const onnx = names.filter((name) => name.endsWith('.onnx'));
  const shards = names.find((name) => /^model-\d+-of-\d+\.safetensors$/.test(name));
  const unread = names.find((name) => /^(pytorch_model.*\.bin|.*\.h5|.*\.gguf)$/.test(name));
  const hint =
    otherFile !== undefined
      ? `; it has "${otherFile}": use --precision ${other}`
      : onnx.length > 0
        ? `; it has ${onnx.map((name) => `"${name}"`).join(', ')}: rename the file to use`
        : shards !== undefined
          ? `, and its weights are in several files ("${shards}"), expected one "${WEIGHTS_FILE}"`
          : unread !== undefined
            ? `; "${unread}" cannot be read: convert it to "${expected}" or, for BERT, "${WEIGHTS_FILE}"`
            : '';
  return new EmbedError('MODEL_NOT_FOUND', `${base}${hint}`);
}

/** Reads a JSON file; an empty object if it does not exist. @throws {EmbedError} `MODEL_INVALID` */
export async function readOptionalJson(path: string): Promise<Record<string, unknown>> {
  return (await exists(path)) ? readJson(path) : {};
}

/** Reads a JSON file. @throws {EmbedError} `MODEL_NOT_FOUND` or `MODEL_INVALID` */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EmbedError('MODEL_NOT_FOUND', `cannot read "${path}" in the model folder`, { cause });
  });
  if (text.startsWith(LFS_POINTER)) throw pointerError(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EmbedError('MODEL_INVALID', `"${path}" is not JSON`, { cause });
  }
}

async function assertNoPointer(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LFS_POINTER.length), 0, LFS_POINTER.length, 0);
    if (buffer.toString('latin1', 0, bytesRead) === LFS_POINTER) throw pointerError(path);
  } finally {
    await file.close();
  }
}

function pointerError(path: string): EmbedError {
  return new EmbedError(
    'MODEL_INVALID',
    `"${path}" is a Git LFS pointer, not the file itself; run "git lfs pull" in the folder`,
  );
}

async function filesOf(root: string, folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch(() => []);
  return names.sort().map((name) => `${folder}${name}`);
}
