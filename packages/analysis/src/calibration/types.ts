/** The input, options and result of a calibration. */

/** The similarity score of two texts, and their label. */
export interface ScoredPair {
  /** Cosine, or any score that is larger for more similar texts. */
  readonly score: number;
  /** True if the pair is labelled as the same. */
  readonly same: boolean;
}

/** The figures of one threshold. */
export interface CurvePoint {
  /** Minimum score that counts as the same. */
  readonly threshold: number;
  /** Share of same pairs among the pairs at or above the threshold, 0 to 1. */
  readonly precision: number;
  /** Share of the same pairs that are at or above the threshold, 0 to 1. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
}

/** A confidence interval: its lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** A chosen threshold with its figures and their confidence intervals. */
export interface ThresholdChoice extends CurvePoint {
  readonly intervals: {
    /** Interval of the threshold that the same rule chooses from other samples. */
    readonly threshold: Interval;
    /** Intervals of the figures of this threshold in other samples. */
    readonly precision: Interval;
    readonly recall: Interval;
    readonly f1: Interval;
  };
}

/** One bin of the histogram of scores. */
export interface ScoreBin {
  /** Lower end (inclusive). */
  readonly from: number;
  /** Upper end (exclusive, except in the last bin). */
  readonly to: number;
  readonly same: number;
  readonly different: number;
}

/** The result of a calibration. Plain JSON. */
export interface Calibration {
  readonly pairs: number;
  /** Number of same pairs. */
  readonly same: number;
  /** Mean precision over recall, 0 to 1: how well the score separates the two kinds, for any threshold. */
  readonly averagePrecision: number;
  readonly bestF1: ThresholdChoice;
  /** The threshold with the maximum precision for the target recall. */
  readonly atRecall: { readonly wanted: number; readonly choice: ThresholdChoice };
  /** The threshold with the maximum recall for the target precision; `null` if no threshold reaches it. */
  readonly atPrecision: { readonly wanted: number; readonly choice: ThresholdChoice | null };
  /** One point per distinct score, highest threshold first. */
  readonly curve: readonly CurvePoint[];
  readonly histogram: readonly ScoreBin[];
  readonly bootstrap: { readonly samples: number; readonly seed: number; readonly confidence: number };
  /** Reasons to distrust the figures, as messages. */
  readonly warnings: readonly string[];
}

/** Options of a calibration; `CALIBRATION_DEFAULTS` holds the defaults. */
export interface CalibrationOptions {
  /** Target recall of `atRecall`, above 0, up to 1. */
  readonly recall?: number;
  /** Target precision of `atPrecision`, above 0, up to 1. */
  readonly precision?: number;
  /** Number of bootstrap samples; 0 gives intervals of width 0. */
  readonly samples?: number;
  readonly seed?: number;
  /** Share of the samples that an interval covers, above 0 and below 1. */
  readonly confidence?: number;
  /** Number of bins in the histogram. */
  readonly bins?: number;
}
