/** Thresholds from labelled pairs, for Node and browsers: `@embedmill/analysis/calibration`. */

export { CALIBRATION_DEFAULTS, calibrate } from './calibrate.ts';
export { averagePrecision, precisionRecallCurve } from './curve.ts';
export type {
  Calibration,
  CalibrationOptions,
  CurvePoint,
  Interval,
  ScoreBin,
  ScoredPair,
  ThresholdChoice,
} from './types.ts';
