/** Loads ONNX Runtime: the package for this platform only, where Embedmill was installed from npm, else all of it. */

import './no-telemetry.ts';

type OnnxRuntime = typeof import('onnxruntime-node');

/**
 * Name of the package that holds the binaries of this platform only. The package onnxruntime-node has those of all
 * platforms (288 MB), and its install script downloads more.
 */
export const PLATFORM_PACKAGE = `@embedmill/onnxruntime-${process.platform}-${process.arch}`;

/** The runtime; only a package that is not installed leads to the other one. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import(PLATFORM_PACKAGE);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return await import('onnxruntime-node');
  }
}
