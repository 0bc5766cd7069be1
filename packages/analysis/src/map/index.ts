/** The public interface of `@embedmill/analysis/map`: maps of vectors, and how they are shown. */

export { topicCenters } from './centers.ts';
export { type MapLabel, type PlacedLabel, placeLabels } from './labels.ts';
export { decodeMapDocument, encodeMapDocument, type MapDocument, type MapTopic } from './map-document.ts';
export {
  FAINT_SHARE,
  type PaintedPoints,
  type PaintedView,
  type PixelBox,
  type Pixels,
  type PointStyle,
  paintPoints,
  pointStyle,
} from './paint.ts';
export {
  MAX_LAYOUT_ROWS,
  type MapOptions,
  mapSteps,
  type ProjectOptions,
  projectMap,
} from './project-map.ts';
export { TOPIC_COLORS, topicColors } from './topic-colors.ts';
export {
  frameOf,
  type MapFrame,
  type MapView,
  panBy,
  pixelsPerUnit,
  SCALES,
  type ScreenPoint,
  toMap,
  toScreen,
  wholeView,
  zoomBy,
} from './view.ts';
