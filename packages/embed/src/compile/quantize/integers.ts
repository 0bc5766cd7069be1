/** The range of the int8 weights of the graph. */

/** Maximum magnitude of a weight: 127 uses 8 bits, 63 uses 7. `prepare/cpu.ts` selects it by CPU. */
export type WeightLimit = 127 | 63;
