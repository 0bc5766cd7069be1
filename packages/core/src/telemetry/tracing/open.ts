/** Opens the configured tracing when producer and worker start; see docs/decisions/0041. */

import type { Config } from '../../process/config/config.ts';
import { noTracing } from './no-tracing.ts';
import type { Tracing, TracingDeps } from './types.ts';

/**
 * Opens OpenTelemetry tracing, or {@link noTracing} if no endpoint is set; OpenTelemetry is not loaded then.
 */
export async function openTracing({ otlpUrl }: Pick<Config, 'otlpUrl'>, deps: TracingDeps): Promise<Tracing> {
  if (otlpUrl === undefined) return noTracing;
  const { OpenTelemetryTracing } = await import('./opentelemetry.ts');
  return new OpenTelemetryTracing({ ...deps, otlpUrl });
}
