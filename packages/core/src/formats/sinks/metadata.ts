/** What files of vectors say about their vectors. */

/** The run that computed vectors. */
export interface VectorOrigin {
  readonly model: string;
  readonly precision: string;
  /** Equal fingerprints mean comparable vectors; `null` without rows. */
  readonly fingerprint: string | null;
  /** Numbers per stored vector. */
  readonly dim: number;
}

/** Entries of the metadata of Parquet and Arrow files. Public interface. */
export function vectorMetadata({ model, precision, fingerprint, dim }: VectorOrigin): Record<string, string> {
  return {
    'embedmill.model': model,
    'embedmill.precision': precision,
    ...(fingerprint === null ? {} : { 'embedmill.fingerprint': fingerprint }),
    'embedmill.dimension': String(dim),
    'embedmill.normalized': 'true',
  };
}
