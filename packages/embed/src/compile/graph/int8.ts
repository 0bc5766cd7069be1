/**
 * The fast arithmetic: int8 weights smoothed at compile time, activations quantised to 8 bits as they come with one
 * scale per tensor. One text per run, so that a scale is one text's own and no neighbour can change a vector.
 */

import type { LayerMaxima } from '../quantize/activation-maxima.ts';
import { quantizeColumns, quantizeRows, type WeightLimit } from '../quantize/integers.ts';
import { splitOutliers } from '../quantize/outliers.ts';
import { divideColumns, multiplyRows, smoothingFactors } from '../quantize/smoothing.ts';
import type { Arithmetic } from './arithmetic.ts';

/** @param maxima of every layer; `null`: none were recorded for this model, and its weights stay unsmoothed */
export function int8Arithmetic(maxima: readonly LayerMaxima[] | null, weightLimit: WeightLimit): Arithmetic {
  return {
    // tanh's approximation is 1-2 % faster over all; its error is lost in int8's.
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
        // Attention is linear in the values: dividing them divides its output, at no cost at run time.
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
      const { integers, scales } = quantizeColumns(dense, weightLimit);
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
