/** Every environment variable that Embedmill reads, with its meaning, unit and default; `readConfig` and docs/configuration.md are made from it. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type ApiKey, readKeyList } from './api-keys.ts';

/** One variable: its name in the environment, what it means, and how its text becomes a value. */
export interface Variable<Value> {
  name: string;
  /** One sentence with the unit; printed in docs/configuration.md. */
  doc: string;
  /** The default as people read it; empty where there is none. */
  shownDefault: string;
  schema: z.ZodType<Value>;
  /** True for what may hold a password: errors do not repeat it. */
  isSecret?: boolean;
}

const MEGABYTE = 1024 * 1024;
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, { message: `a whole number from ${least} to ${most}`, abort: true })
    .transform(Number)
    .refine((n) => n >= least && n <= most, { message: `a whole number from ${least} to ${most}` });
const variable = <Value>(
  name: string,
  doc: string,
  shownDefault: string,
  schema: z.ZodType<Value>,
): Variable<Value> => ({
  name,
  doc,
  shownDefault,
  schema,
});
const count = (name: string, doc: string, byDefault: number, least: number, most: number) =>
  variable(
    name,
    doc,
    String(byDefault),
    wholeNumber(least, most)
      .optional()
      .transform((n) => n ?? byDefault),
  );
const megabytes = (name: string, doc: string, byDefault: number, most: number, least = 1) =>
  variable(
    name,
    doc,
    String(byDefault),
    wholeNumber(least, most)
      .optional()
      .transform((n) => (n ?? byDefault) * MEGABYTE),
  );
const text = (name: string, doc: string, shownDefault: string, byDefault: string) =>
  variable(
    name,
    doc,
    shownDefault,
    z
      .string()
      .optional()
      .transform((value) => value ?? byDefault),
  );
const optional = <Value>(name: string, doc: string, schema: z.ZodType<Value, string>) =>
  variable(name, doc, '', schema.optional());

const secret = <Value>(of: Variable<Value>): Variable<Value> => ({ ...of, isSecret: true });

const apiKeys = z.string().transform((list, context): ApiKey[] => {
  const read = readKeyList(list);
  if (read.ok) return read.keys;
  context.addIssue({ code: 'custom', message: `name:role:secret, divided by commas (${read.problem})` });
  return z.NEVER;
});

/** As browsers send it: no path, no slash at the end. */
const isOrigin = (origin: string) =>
  origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin);

const redisUrl = z
  .string()
  .refine((url) => URL.canParse(url) && ['redis:', 'rediss:'].includes(new URL(url).protocol), {
    message: 'a URL such as redis://host:6379 or rediss://user:secret@host:6380/0',
  });

/** The variables by the name of their field in `Config`. */
export const VARIABLES = {
  redisUrl: secret(
    optional(
      'REDIS_URL',
      'Redis or Valkey to use. Unset, the commands that may do so start a private server.',
      redisUrl,
    ),
  ),
  port: count('PORT', 'TCP port of the producer API; 0 picks a free one.', 8080, 0, 65535),
  host: text(
    'EMBEDMILL_HOST',
    'Address the producer and the worker listen on; 0.0.0.0 for all.',
    '127.0.0.1',
    '127.0.0.1',
  ),
  apiKeys: secret(
    optional(
      'EMBEDMILL_API_KEYS',
      'API keys, `name:role:secret` divided by commas; roles: read, submit, admin. Unset, and without a file of keys: no key is asked for.',
      apiKeys,
    ),
  ),
  apiKeysFile: optional(
    'EMBEDMILL_API_KEYS_FILE',
    'File of API keys, one `name:role:secret` a line; it is read again whenever it changes.',
    z.string(),
  ),
  apiKey: secret(
    optional(
      'EMBEDMILL_API_KEY',
      'The key that the command sends to a producer that asks for one.',
      z.string().regex(/^[\x21-\x7e]+$/, { message: 'printable characters without spaces' }),
    ),
  ),
  metricsNeed: variable(
    'EMBEDMILL_METRICS_ACCESS',
    'Who may read /metrics of a producer with API keys: `open` for everybody, `read` for every key.',
    'open',
    z
      .enum(['open', 'read'], { message: 'open or read' })
      .optional()
      .transform((value) => value ?? 'open'),
  ),
  requestsPerMinute: optional(
    'EMBEDMILL_RATE_LIMIT',
    'Most requests in a minute of one API key, or of one address without a key, over all producers. Unset: no limit.',
    wholeNumber(1, 1_000_000),
  ),
  proxies: count(
    'EMBEDMILL_PROXIES',
    'Reverse proxies in front of the producer; so many entries of X-Forwarded-For are believed when addresses are limited.',
    0,
    0,
    10,
  ),
  corsOrigins: optional(
    'EMBEDMILL_CORS_ORIGINS',
    'Origins of web pages that may call the API, divided by commas, such as `https://app.example.com`; `*` for all. Unset: none.',
    z
      .string()
      .transform((list) => list.split(',').map((origin) => origin.trim()))
      .refine((origins) => origins.every(isOrigin), {
        message: 'origins such as https://app.example.com, divided by commas',
      }),
  ),
  allowedHosts: optional(
    'EMBEDMILL_ALLOWED_HOSTS',
    'Host names under which the producer may be reached, separated by commas, besides IP addresses, localhost, names without a dot and private domains such as `.internal`; `*` for all. Keeps web pages from reaching the producer through DNS rebinding.',
    z
      .string()
      .transform((list) => list.split(',').map((name) => name.trim().toLowerCase()))
      .refine(
        (names) => names.every((name) => name === '*' || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)),
        {
          message: 'host names such as embed.example.com, separated by commas, without ports',
        },
      ),
  ),
  workerPort: count(
    'EMBEDMILL_WORKER_PORT',
    "TCP port of a worker's /healthz, /readyz and /metrics; 0 picks a free one.",
    9464,
    0,
    65535,
  ),
  dataDir: text(
    'EMBEDMILL_DATA_DIR',
    "Folder of the producer's runs: rows, shards and manifests.",
    '~/.local/share/embedmill',
    join(homedir(), '.local', 'share', 'embedmill'),
  ),
  cacheDir: text(
    'EMBEDMILL_CACHE',
    'Folder of compiled models, and of added ones in `models`.',
    '~/.cache/embedmill',
    join(homedir(), '.cache', 'embedmill'),
  ),
  threads: optional(
    'EMBEDMILL_THREADS',
    'Inference threads of a worker. Unset: one per CPU of the quota (cgroup and cpuset).',
    wholeNumber(1, 1024),
  ),
  model: optional(
    'EMBEDMILL_MODEL',
    'Name of an added model (`embedmill model list`), or folder of another sentence model in the layout of the hub. Unset: the built-in all-MiniLM-L6-v2.',
    z.string(),
  ),
  repeatsBytes: megabytes(
    'EMBEDMILL_REPEATS_MB',
    'Megabytes of vectors that each inference thread keeps for texts that come again; 0: none.',
    16,
    4096,
    0,
  ),
  cacheBytes: megabytes(
    'EMBEDMILL_VECTOR_CACHE_MB',
    'Megabytes of vectors that workers keep in Redis for texts of later runs; 0: none. Redis needs them beside its budget.',
    0,
    1024 * 1024,
    0,
  ),
  prefix: variable(
    'EMBEDMILL_PREFIX',
    'First part of every Redis key; two fleets with different prefixes share one Redis without meeting.',
    'em',
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, { message: 'letters, digits, "_" and "-", at most 64' })
      .optional()
      .transform((value) => value ?? 'em'),
  ),
  redisBudgetBytes: megabytes(
    'EMBEDMILL_REDIS_BUDGET_MB',
    'Most megabytes of payloads and vectors that this producer keeps in Redis at a time.',
    256,
    1024 * 1024,
  ),
  batchRows: count(
    'EMBEDMILL_BATCH_ROWS',
    'Most rows of a batch. Not a power of two: 252 vectors fit a memory class of Redis, 256 do not.',
    252,
    1,
    4096,
  ),
  batchTokens: count('EMBEDMILL_BATCH_TOKENS', 'Most estimated tokens of a batch.', 8192, 1, 1_000_000),
  shardBytes: megabytes(
    'EMBEDMILL_SHARD_MB',
    'Megabytes of vectors after which the collector writes a shard file.',
    16,
    1024,
  ),
  producerMemoryBytes: optional(
    'EMBEDMILL_PRODUCER_MEMORY_MB',
    'Maximum megabytes that requests keep in the memory of the producer: bodies, rows not yet written, texts in flight, unread answers. Unset: a quarter of the memory limit (cgroup or machine), between 64 and 1024.',
    wholeNumber(16, 1024 * 1024).transform((n) => n * MEGABYTE),
  ),
  searchMemoryBytes: megabytes(
    'EMBEDMILL_SEARCH_MEMORY_MB',
    'Most megabytes of vectors that the producer keeps in memory for searches; larger runs are read from disk each time.',
    256,
    1024 * 1024,
  ),
  maxRowBytes: count('EMBEDMILL_MAX_ROW_BYTES', 'Most bytes of one row.', MEGABYTE, 1, 64 * MEGABYTE),
  maxBodyBytes: megabytes(
    'EMBEDMILL_MAX_BODY_MB',
    'Most megabytes of one request body, after decompression.',
    1024,
    1024 * 1024,
  ),
  interactiveTexts: count(
    'EMBEDMILL_INTERACTIVE_TEXTS',
    'Most interactive texts that wait for their vectors at a time; what comes on top is refused with 429.',
    4096,
    1,
    1_000_000,
  ),
  maxFileBytes: megabytes(
    'EMBEDMILL_MAX_FILE_MB',
    'Most megabytes of one file for POST /v1/files.',
    16 * 1024,
    1024 * 1024,
  ),
  maxBatchLines: count(
    'EMBEDMILL_MAX_BATCH_LINES',
    'Most lines of the input file of POST /v1/batches; while it is checked, its ids are kept in memory.',
    2_000_000,
    1,
    16_000_000,
  ),
  lockMs: count(
    'EMBEDMILL_LOCK_MS',
    'Milliseconds after which a batch of a silent worker goes to another one.',
    30_000,
    1_000,
    3_600_000,
  ),
  shutdownMs: count(
    'EMBEDMILL_SHUTDOWN_MS',
    'Milliseconds that a process may take to finish its work after SIGTERM.',
    20_000,
    0,
    3_600_000,
  ),
  drainTargetSeconds: count(
    'EMBEDMILL_DRAIN_TARGET_S',
    'Seconds in which the backlog should be done; GET /v1/scale says how many workers that takes.',
    600,
    1,
    7 * 24 * 3600,
  ),
  maxWorkers: count('EMBEDMILL_WORKERS_MAX', 'Most workers that GET /v1/scale asks for.', 20, 1, 10_000),
  otlpUrl: optional(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'Base URL of an OpenTelemetry collector that gets traces over OTLP/HTTP. Unset: none are made.',
    z.string().refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), {
      message: 'a URL such as http://collector:4318',
    }),
  ),
  logLevel: variable(
    'EMBEDMILL_LOG_LEVEL',
    'Least level that is logged: trace, debug, info, warn, error, fatal or silent. Texts appear at no level.',
    'info',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
        message: 'one of trace, debug, info, warn, error, fatal, silent',
      })
      .optional()
      .transform((value) => value ?? 'info'),
  ),
} as const satisfies Record<string, Variable<unknown>>;
