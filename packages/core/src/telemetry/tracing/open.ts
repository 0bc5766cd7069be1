/** Opens the tracing that the settings ask for; producer and worker call it when they start. */

import type { Logger } from 'pino';
import type { Config } from '../../process/config/index.ts';
import { noTracing } from './no-tracing.ts';
import type { Tracing } from './types.ts';

/** What the spans say of their process. */
export interface TracingDeps {
  /** `service.name` of its spans. */
  service: string;
  log: Logger;
}

/** Without an endpoint nothing of OpenTelemetry is even loaded. */
export async function openTracing(
  { otlpUrl }: Pick<Config, 'otlpUrl'>,
  parts: TracingDeps,
): Promise<Tracing> {
  if (otlpUrl === undefined) return noTracing;
  const { OpenTelemetryTracing } = await import('./opentelemetry.ts');
  return new OpenTelemetryTracing({ ...parts, otlpUrl });
}
