/** Checks that the model runs on this machine and gives the expected vectors. */

import { asError } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import { availableKernels, checkGolden, Embedder, type PreparedModel, prepareModel } from '@embedmill/embed';
import type { Finding } from './types.ts';

/** Prepares the int8 model, then compares its vectors with recorded ones, as a worker does at start. */
export async function checkModelAndVectors({ cacheDir, model, engine, kernel }: Config): Promise<Finding[]> {
  let prepared: PreparedModel;
  try {
    prepared = await prepareModel({ model, precision: 'int8', engine, kernel, cacheDir });
  } catch (error) {
    return [{ health: 'broken', subject: 'Model', message: asError(error).message }];
  }
  const { name, precision, fingerprint, modelPath } = prepared;
  const found: Finding = {
    health: 'good',
    subject: 'Model',
    message: `${name} ${precision}, fingerprint ${fingerprint}, in ${modelPath}`,
  };
  return [
    found,
    { health: 'good', subject: 'Engine', message: describe(prepared) },
    await checkVectors(prepared),
  ];
}

function describe({ engine, sources }: PreparedModel): string {
  const available = availableKernels();
  const kernels = available.length === 0 ? '' : `; kernels of this CPU: ${available.join(', ')}`;
  const scope = engine === 'onnx' ? 'vectors of this kind of CPU' : 'the same vectors on every CPU';
  return `${sources.engine}; ${scope}${kernels}`;
}

async function checkVectors(prepared: PreparedModel): Promise<Finding> {
  const subject = 'Vectors';
  try {
    const embedder = await Embedder.open(prepared);
    try {
      const { ok, sentences, worstCosine, message } = await checkGolden(embedder);
      const compared =
        prepared.goldenSet === 'none'
          ? `${sentences} sentences gave equal vectors twice; there are no recorded vectors for this model`
          : `${sentences} sentences match their recorded vectors, minimum cosine ${worstCosine.toFixed(4)}${prepared.engine === 'exact' ? ', byte for byte' : ''}`;
      return ok ? { health: 'good', subject, message: compared } : { health: 'broken', subject, message };
    } finally {
      await embedder.close();
    }
  } catch (error) {
    return { health: 'broken', subject, message: asError(error).message };
  }
}
