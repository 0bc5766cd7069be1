/** What a calibration takes and gives; `embedmill calibrate` and the Threshold page hold these. */

/** How similar a model finds two texts, and what a person says of them. */
export interface ScoredPair {
  /** Cosine, or any score that is larger for what is more alike. */
  readonly score: number;
  /** True when the pair counts as the same. */
  readonly same: boolean;
}

/** What happens when pairs count as the same from `threshold` on. */
export interface CurvePoint {
  /** Least score that counts as the same. */
  readonly threshold: number;
  /** Of the pairs at or above the threshold, the part that is the same, 0 to 1. */
  readonly precision: number;
  /** Of the pairs that are the same, the part at or above the threshold, 0 to 1. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
}

/** The middle part of what other samples of the same size would have given: least and most. */
export type Interval = readonly [low: number, high: number];

/** A threshold with what it leads to, and how far each figure can be trusted. */
export interface ThresholdChoice extends CurvePoint {
  readonly intervals: {
    /** Of the threshold that the same rule would choose from another sample. */
    readonly threshold: Interval;
    /** Of precision, recall and F1 of this threshold in another sample. */
    readonly precision: Interval;
    readonly recall: Interval;
    readonly f1: Interval;
  };
}

/** Pairs by score, for a histogram. */
export interface ScoreBin {
  /** From this score (inclusive) … */
  readonly from: number;
  /** … to this one (exclusive, but for the last bin). */
  readonly to: number;
  readonly same: number;
  readonly different: number;
}

/** Everything that labelled pairs say about thresholds. Plain JSON. */
export interface Calibration {
  readonly pairs: number;
  /** Pairs that are the same. */
  readonly same: number;
  /** Mean precision over the recall, 0 to 1: how well the score tells the two kinds apart, whatever the threshold. */
  readonly averagePrecision: number;
  readonly bestF1: ThresholdChoice;
  /** The most precise threshold with at least this recall ("never miss"). */
  readonly atRecall: { readonly wanted: number; readonly choice: ThresholdChoice };
  /** The threshold that finds most with at least this precision ("never wrong"); `null` when none is so precise. */
  readonly atPrecision: { readonly wanted: number; readonly choice: ThresholdChoice | null };
  /** One point per different score, the highest threshold first. */
  readonly curve: readonly CurvePoint[];
  readonly histogram: readonly ScoreBin[];
  readonly bootstrap: { readonly samples: number; readonly seed: number; readonly confidence: number };
  /** What makes the figures doubtful, for people. */
  readonly warnings: readonly string[];
}

/** Choices of a calibration; each has a default in `calibrationDefaults`. */
export interface CalibrationOptions {
  /** Least recall of `atRecall`, above 0 to 1. */
  readonly recall?: number;
  /** Least precision of `atPrecision`, above 0 to 1. */
  readonly precision?: number;
  /** Samples of the bootstrap; 0 gives intervals of width 0. */
  readonly samples?: number;
  readonly seed?: number;
  /** Part of the samples that an interval covers, above 0 and below 1. */
  readonly confidence?: number;
  /** Bins of the histogram. */
  readonly bins?: number;
}
