/** Tracing without a collector: every step just runs. */

import type { OpenSpan, RequestSpan, Tracing } from './types.ts';

const NO_SPAN: OpenSpan & RequestSpan = { addStep: () => {}, end: () => {} };

/** @see Tracing */
export const noTracing: Tracing = {
  span: (_name, _attributes, step) => step(NO_SPAN),
  request: (_headers, serve) => serve(NO_SPAN),
  context: () => undefined,
  resume: (_context, _name, _attributes, step) => step(),
  telemetry: undefined,
  stop: async () => {},
};
