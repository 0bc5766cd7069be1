/** Child process that measures the raw int8 matrix product of one core: the upper limit for the engine. */

import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../../packages/embed/dist/compile/onnx/graph-builder.js';

/** Rows × depth × columns: shapes of the model at 128 tokens, and a square that fits into the cache. */
const SHAPES = [
  [128, 384, 1536],
  [128, 1536, 384],
  [1024, 1024, 1024],
];
const ROUNDS = 60;

let best = 0;
for (const [rows, depth, columns] of SHAPES) {
  const graph = new GraphBuilder();
  const weight = Int8Array.from({ length: depth * columns }, (_, i) => ((i * 7919) % 255) - 127);
  graph.input('a', 'uint8', [rows, depth]);
  graph.node('y', 'MatMulInteger', ['a', graph.constant('b', weight, [depth, columns])]);
  graph.output('y', 'int32', [rows, columns]);
  const session = await InferenceSession.create(graph.encode('gemm'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const a = new Tensor(
    'uint8',
    Uint8Array.from({ length: rows * depth }, (_, i) => i % 251),
    [rows, depth],
  );
  const y = new Tensor('int32', new Int32Array(rows * columns), [rows, columns]);
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    await session.run({ a }, { y });
    best = Math.max(best, (2 * rows * depth * columns) / ((performance.now() - startedAt) / 1000));
  }
  await session.release();
}
process.send({ operationsPerSecond: best });
process.disconnect();
