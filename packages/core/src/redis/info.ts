/** Parses the reply to INFO; used by the memory gate and the producer's overview. */

/** Integer value of a field; 0 when the field is missing. */
export function infoNumber(info: string, field: string): number {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
