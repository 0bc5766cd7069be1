/**
 * The fast arithmetic: int8 weights, smoothed at compile time, and activations quantized to 8 bits at run
 * time.
 *
 * Activations have one scale per tensor. Since every text runs alone, no other text can change its scale or
 * its vector.
 */

import { quantizeColumns, quantizeRows } from '@embedmill/engine';
import type { LayerMaxima } from '../quantize/activation-maxima.ts';
import type { WeightLimit } from '../quantize/integers.ts';
import { splitOutliers } from '../quantize/outliers.ts';
import { divideColumns, multiplyRows, smoothingFactors } from '../quantize/smoothing.ts';
import type { Arithmetic } from './arithmetic.ts';

/**
 * Returns the arithmetic of the int8 graph.
 * @param maxima activation maxima, one entry per layer; `null` if none are recorded, which leaves weights
 * unsmoothed
 * @param weightLimit maximum magnitude of an int8 weight
 */
export function int8Arithmetic(maxima: readonly LayerMaxima[] | null, weightLimit: WeightLimit): Arithmetic {
  return {
    // The tanh approximation makes the whole model 1-2 % faster; its error is far below that of int8.
    gelu: 'com.microsoft:FastGelu',

    prepareLayer(layer, index) {
      if (maxima === null) return layer;
      const max = maxima[index]!;
      const split = splitOutliers(layer.intermediate, layer.output, max.output);
      const attention = smoothingFactors(max.attention, [layer.query, layer.key, layer.value]);
      const context = smoothingFactors(max.attentionOutput, [layer.attentionOutput]);
      const intermediate = smoothingFactors(max.intermediate, [split.writer]);
      const output = smoothingFactors(split.activationMax, [split.reader]);
      return {
        ...layer,
        query: multiplyRows(layer.query, attention),
        key: multiplyRows(layer.key, attention),
        // Attention is linear in the values: dividing them divides its output, at no run-time cost.
        value: divideColumns(multiplyRows(layer.value, attention), context),
        attentionOutput: multiplyRows(layer.attentionOutput, context),
        intermediate: multiplyRows(split.writer, intermediate),
        output: multiplyRows(split.reader, output),
        attentionInputScale: attention.map((factor) => 1 / factor),
        intermediateInputScale: intermediate.map((factor) => 1 / factor),
        outputInputScale: output.map((factor) => 1 / factor),
      };
    },

    lookUpWords(graph, { words }, ids) {
      const [vocabulary, hidden] = words.shape as [number, number];
      const { integers, scales } = quantizeRows(words.values, hidden);
      const rows = graph.node('words.rows', 'Gather', [
        graph.constant('words.table', integers, [vocabulary, hidden]),
        ids,
      ]);
      const rowScales = graph.node('words.scales', 'Gather', [
        graph.constant('words.scale_table', scales, [vocabulary, 1]),
        ids,
      ]);
      const reals = graph.node('words.reals', 'Cast', [rows], { to: { int: 1 } });
      return graph.node('words', 'Mul', [reals, rowScales]);
    },

    dense(graph, name, input, dense) {
      const { integers, scales } = quantizeColumns(dense.weight, dense.outputs, weightLimit);
      return graph.node(name, 'com.microsoft:DynamicQuantizeMatMul', [
        input,
        graph.constant(`${name}.weight`, integers, [dense.inputs, dense.outputs]),
        graph.constant(`${name}.scale`, scales, [dense.outputs]),
        '',
        graph.constant(`${name}.bias`, dense.bias, [dense.outputs]),
      ]);
    },
  };
}
