/** Reads numbers out of the text that Redis answers to INFO; the memory gate and the producer's overview use it. */

/** The whole number of a field; 0 when the text does not have it. */
export function infoNumber(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
