/** The reference arithmetic: float32 throughout. */

import type { Arithmetic } from './arithmetic.ts';

/** Returns the arithmetic of the fp32 graph. */
export function fp32Arithmetic(): Arithmetic {
  return {
    gelu: 'com.microsoft:Gelu',

    prepareLayer: (layer) => layer,

    lookUpWords(graph, { words }, ids) {
      return graph.node('words', 'Gather', [graph.constant('words.table', words.values, words.shape), ids]);
    },

    dense(graph, name, input, { inputs, outputs, weight, bias }) {
      const product = graph.node(`${name}.product`, 'MatMul', [
        input,
        graph.constant(`${name}.weight`, weight, [inputs, outputs]),
      ]);
      return graph.node(name, 'Add', [product, graph.constant(`${name}.bias`, bias, [outputs])]);
    },
  };
}
