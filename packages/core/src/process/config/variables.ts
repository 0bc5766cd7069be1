/** The environment variables of Embedmill, with meaning, unit and default; the source of docs/configuration.md. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { ENGINE_CHOICES } from '@embedmill/contract';
import * as z from 'zod';
import { type ApiKey, readKeyList } from './api-keys.ts';
import { readRedisUrl } from './redis-url.ts';

/** An environment variable: its name, its documentation, and the schema that parses it. */
export interface Variable<Value> {
  name: string;
  /** One sentence with the unit; printed in docs/configuration.md. */
  doc: string;
  /** The default as the docs show it; empty if there is none. */
  shownDefault: string;
  schema: z.ZodType<Value>;
  /** Whether the value may hold a password, so that errors must not quote it. */
  isSecret?: boolean;
}

/** A hundred years. */
export const MAX_KEEP_DAYS = 36_500;
const MEGABYTE = 1024 * 1024;
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, { message: `a whole number from ${min} to ${max}`, abort: true })
    .transform(Number)
    .refine((n) => n >= min && n <= max, { message: `a whole number from ${min} to ${max}` });
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
const count = (name: string, doc: string, defaultValue: number, min: number, max: number) =>
  variable(
    name,
    doc,
    String(defaultValue),
    wholeNumber(min, max)
      .optional()
      .transform((n) => n ?? defaultValue),
  );
const megabytes = (name: string, doc: string, defaultValue: number, max: number, min = 1) =>
  variable(
    name,
    doc,
    String(defaultValue),
    wholeNumber(min, max)
      .optional()
      .transform((n) => (n ?? defaultValue) * MEGABYTE),
  );
const text = (name: string, doc: string, shownDefault: string, defaultValue: string) =>
  variable(
    name,
    doc,
    shownDefault,
    z
      .string()
      .optional()
      .transform((value) => value ?? defaultValue),
  );
const optional = <Value>(name: string, doc: string, schema: z.ZodType<Value, string>) =>
  variable(name, doc, '', schema.optional());

const secret = <Value>(of: Variable<Value>): Variable<Value> => ({ ...of, isSecret: true });

const apiKeys = z.string().transform((list, context): ApiKey[] => {
  const read = readKeyList(list);
  if (read.ok) return read.keys;
  context.addIssue({ code: 'custom', message: `name:role:secret, separated by commas (${read.problem})` });
  return z.NEVER;
});

/**
 * Whether this is an origin as browsers send it (no path, no trailing slash), `*`, or `scheme://*` for all origins
 * of a scheme other than http and https, such as those of browser extensions and desktop applications.
 */
const isOrigin = (origin: string) => {
  if (origin === '*') return true;
  if (!/^https?:/i.test(origin)) return /^[a-z][a-z0-9+.-]*:\/\/(\*|[^\s/?#@*]*)$/.test(origin);
  return !origin.includes('*') && URL.canParse(origin) && new URL(origin).origin === origin;
};

const redisUrl = z.string().transform((url, context): string => {
  const read = readRedisUrl(url);
  if (read.ok) return url;
  const message = `a URL such as redis://host:6379 or rediss://user:secret@host:6380/0 (${read.problem}; docs/deploy.md has all forms)`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** All variables, keyed by their field in `Config`. */
export const VARIABLES = {
  redisUrl: secret(
    optional(
      'REDIS_URL',
      'URL of the Redis or Valkey server, Sentinels, cluster or unix socket, in one of the [forms](deploy.md#redis). If unset, commands that can do so start a private server.',
      redisUrl,
    ),
  ),
  port: count('PORT', 'TCP port of the producer API; 0 selects a free port.', 8080, 0, 65535),
  host: text(
    'EMBEDMILL_HOST',
    'Address on which producers and workers listen; 0.0.0.0 for all interfaces.',
    '127.0.0.1',
    '127.0.0.1',
  ),
  apiKeys: secret(
    optional(
      'EMBEDMILL_API_KEYS',
      'API keys: `name:role:secret` entries separated by commas; roles are read, submit and admin. If unset and no key file is given, authentication is disabled.',
      apiKeys,
    ),
  ),
  apiKeysFile: optional(
    'EMBEDMILL_API_KEYS_FILE',
    'File of API keys, one `name:role:secret` per line; reloaded when it changes.',
    z.string(),
  ),
  apiKey: secret(
    optional(
      'EMBEDMILL_API_KEY',
      'API key that the command sends to the producer.',
      z.string().regex(/^[\x21-\x7e]+$/, { message: 'printable characters without spaces' }),
    ),
  ),
  metricsNeed: variable(
    'EMBEDMILL_METRICS_ACCESS',
    'Access to /metrics of a producer with API keys: `open` for all clients, `read` for clients with a key.',
    'open',
    z
      .enum(['open', 'read'], { message: 'open or read' })
      .optional()
      .transform((value) => value ?? 'open'),
  ),
  requestsPerMinute: optional(
    'EMBEDMILL_RATE_LIMIT',
    'Maximum requests per minute for each API key, or for each address without a key, across all producers. If unset, there is no limit.',
    wholeNumber(1, 1_000_000),
  ),
  proxies: count(
    'EMBEDMILL_PROXIES',
    'Number of trusted reverse proxies in front of the producer (Express `trust proxy`); used when requests are limited by address.',
    0,
    0,
    10,
  ),
  corsOrigins: optional(
    'EMBEDMILL_CORS_ORIGINS',
    'Origins of web pages, browser extensions and desktop applications that may call the API, separated by commas, such as `https://app.example.com`, `tauri://localhost` or `chrome-extension://*`; `*` for all. If unset, no origin is allowed.',
    z
      .string()
      .transform((list) => list.split(',').map((origin) => origin.trim()))
      .refine((origins) => origins.every(isOrigin), {
        message: 'origins such as https://app.example.com or app://*, separated by commas',
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
    'TCP port of /healthz, /readyz and /metrics of a worker; 0 selects a free port.',
    9464,
    0,
    65535,
  ),
  dataDir: text(
    'EMBEDMILL_DATA_DIR',
    'Data folder of the producer: the rows, result shards and ledger of each run.',
    '~/.local/share/embedmill',
    join(homedir(), '.local', 'share', 'embedmill'),
  ),
  keepRunsDays: optional(
    'EMBEDMILL_KEEP_RUNS_DAYS',
    'Days after which the producer deletes finished runs, unless a run states its own time (`keepDays`). Active runs and runs that are being read are kept. If unset, runs are kept until they are deleted.',
    wholeNumber(1, MAX_KEEP_DAYS),
  ),
  cacheDir: text(
    'EMBEDMILL_CACHE',
    'Cache folder: compiled models, and installed models in `models`.',
    '~/.cache/embedmill',
    join(homedir(), '.cache', 'embedmill'),
  ),
  threads: optional(
    'EMBEDMILL_THREADS',
    'Inference threads per worker. If unset, one per available CPU (cgroup quota and cpuset).',
    wholeNumber(1, 1024),
  ),
  model: optional(
    'EMBEDMILL_MODEL',
    'Name of an installed model (`embedmill model list`), or folder of a sentence model in Hugging Face layout. If unset, the built-in all-MiniLM-L6-v2.',
    z.string(),
  ),
  modelAliases: optional(
    'EMBEDMILL_MODEL_ALIASES',
    'Further names of the served model for clients with a fixed model name, separated by commas, such as `text-embedding-3-small`. The vectors are those of the served model.',
    z
      .string()
      .transform((list) => list.split(',').map((name) => name.trim()))
      .refine((names) => names.every((name) => /^[^\s,\p{Cc}\p{Cs}]{1,200}$/u.test(name)), {
        message: 'names without spaces such as text-embedding-3-small, separated by commas',
      }),
  ),
  workerModels: variable(
    'EMBEDMILL_WORKER_MODELS',
    'Which models a worker serves: `any` for its own one and those that runs ask for, if they are installed beside it, or, with `EMBEDMILL_PULL=always`, beside the producer; `fixed` for its own one only.',
    'any',
    z
      .enum(['any', 'fixed'], { message: 'any or fixed' })
      .optional()
      .transform((value) => value ?? 'any'),
  ),
  pull: variable(
    'EMBEDMILL_PULL',
    'Whether a model that is not installed is pulled when it is first used: `ask` on a terminal and refuse elsewhere, `always`, or `never`.',
    'ask',
    z
      .enum(['ask', 'always', 'never'], { message: 'ask, always or never' })
      .optional()
      .transform((value) => value ?? 'ask'),
  ),
  hubEndpoint: variable(
    'HF_ENDPOINT',
    'URL of the model hub: the Hugging Face Hub, a mirror of it, or a producer, which serves the models installed beside it.',
    'https://huggingface.co',
    z
      .string()
      .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), {
        message: 'a URL such as https://huggingface.co',
      })
      .optional()
      .transform((url) => (url ?? 'https://huggingface.co').replace(/\/+$/, '')),
  ),
  hubToken: secret(
    optional(
      'HF_TOKEN',
      'Token for private models; sent to the host of `HF_ENDPOINT` only. For a producer with API keys, a key with the role read.',
      z.string().regex(/^[\x21-\x7e]+$/, { message: 'printable characters without spaces' }),
    ),
  ),
  isHubOffline: variable(
    'HF_HUB_OFFLINE',
    '`1` to pull models from the cache of other tools only, without network.',
    '',
    z
      .string()
      .optional()
      .transform((value) => /^(1|on|yes|true)$/i.test(value ?? '')),
  ),
  hubHome: optional(
    'HF_HOME',
    'Folder of other tools for the hub; files in its cache are reused. If unset, ~/.cache/huggingface.',
    z.string(),
  ),
  hubCache: optional(
    'HF_HUB_CACHE',
    'Cache folder of other tools for the hub. If unset, `hub` in `HF_HOME`.',
    z.string(),
  ),
  engine: variable(
    'EMBEDMILL_ENGINE',
    'Engine of int8 models: `exact` computes the same bytes on every CPU; `onnx` is ONNX Runtime, which also computes fp32; `auto` is `exact` where it is built, takes the model and is at least as fast, else `onnx`. Set `exact` for workers with different CPUs.',
    'auto',
    z
      .enum(ENGINE_CHOICES, { message: ENGINE_CHOICES.join(', ') })
      .optional()
      .transform((value) => value ?? 'auto'),
  ),
  kernel: text(
    'EMBEDMILL_KERNEL',
    'Kernel of the exact engine (`embedmill doctor` lists those of this CPU); `auto` is the fastest. All kernels compute the same bytes.',
    'auto',
    'auto',
  ),
  repeatsBytes: megabytes(
    'EMBEDMILL_REPEATS_MB',
    'Maximum megabytes of vectors that each inference thread caches for repeated texts; 0 disables the cache.',
    16,
    4096,
    0,
  ),
  cacheBytes: megabytes(
    'EMBEDMILL_VECTOR_CACHE_MB',
    'Maximum megabytes of vectors that workers cache in Redis for repeated texts of later runs; 0 disables the cache. Redis needs this memory in addition to its budget.',
    0,
    1024 * 1024,
    0,
  ),
  prefix: variable(
    'EMBEDMILL_PREFIX',
    'Prefix of all Redis keys; fleets with different prefixes can share one Redis.',
    'em',
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, { message: 'letters, digits, "_" and "-", at most 64' })
      .optional()
      .transform((value) => value ?? 'em'),
  ),
  redisBudgetBytes: megabytes(
    'EMBEDMILL_REDIS_BUDGET_MB',
    'Maximum megabytes of payloads and vectors that this producer keeps in Redis at a time.',
    256,
    1024 * 1024,
  ),
  batchRows: optional(
    'EMBEDMILL_BATCH_ROWS',
    'Maximum rows per batch, 1 to 4096. If unset, a batch has as many rows as a worker embeds in about 0.5 s.',
    wholeNumber(1, 4096),
  ),
  batchTokens: optional(
    'EMBEDMILL_BATCH_TOKENS',
    'Maximum estimated tokens per batch, 1 to 1000000. If unset, as many as a worker embeds in about 0.5 s.',
    wholeNumber(1, 1_000_000),
  ),
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
  searchMemoryBytes: optional(
    'EMBEDMILL_SEARCH_MEMORY_MB',
    'Maximum megabytes of vectors and word indexes that the producer keeps in memory for searches; larger runs are read from disk for each search. Unset: an eighth of the memory limit (cgroup or machine), between 128 and 2048.',
    wholeNumber(1, 1024 * 1024).transform((n) => n * MEGABYTE),
  ),
  maxRowBytes: count('EMBEDMILL_MAX_ROW_BYTES', 'Maximum bytes per row.', MEGABYTE, 1, 64 * MEGABYTE),
  maxBodyBytes: megabytes(
    'EMBEDMILL_MAX_BODY_MB',
    'Maximum megabytes per request body, after decompression.',
    1024,
    1024 * 1024,
  ),
  interactiveTexts: count(
    'EMBEDMILL_INTERACTIVE_TEXTS',
    'Maximum number of interactive texts waiting for vectors; further requests get status 429.',
    4096,
    1,
    1_000_000,
  ),
  maxFileBytes: megabytes(
    'EMBEDMILL_MAX_FILE_MB',
    'Maximum megabytes per file for POST /v1/files.',
    16 * 1024,
    1024 * 1024,
  ),
  maxBatchLines: count(
    'EMBEDMILL_MAX_BATCH_LINES',
    'Maximum lines in the input file of POST /v1/batches; its ids are held in memory while it is checked.',
    2_000_000,
    1,
    16_000_000,
  ),
  lockMs: count(
    'EMBEDMILL_LOCK_MS',
    'Milliseconds after which a batch of an unresponsive worker is reassigned.',
    30_000,
    1_000,
    3_600_000,
  ),
  shutdownMs: count(
    'EMBEDMILL_SHUTDOWN_MS',
    'Maximum milliseconds for a graceful shutdown after SIGTERM.',
    20_000,
    0,
    3_600_000,
  ),
  drainTargetSeconds: count(
    'EMBEDMILL_DRAIN_TARGET_S',
    'Target time for the backlog in seconds; GET /v1/scale reports the number of workers that it requires.',
    600,
    1,
    7 * 24 * 3600,
  ),
  maxWorkers: count(
    'EMBEDMILL_WORKERS_MAX',
    'Maximum number of workers that GET /v1/scale requests.',
    20,
    1,
    10_000,
  ),
  otlpUrl: optional(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'Base URL of an OpenTelemetry collector that receives traces over OTLP/HTTP. If unset, tracing is disabled.',
    z.string().refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), {
      message: 'a URL such as http://collector:4318',
    }),
  ),
  logLevel: variable(
    'EMBEDMILL_LOG_LEVEL',
    'Minimum log level: trace, debug, info, warn, error, fatal or silent. Texts are never logged.',
    'info',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
        message: 'one of trace, debug, info, warn, error, fatal, silent',
      })
      .optional()
      .transform((value) => value ?? 'info'),
  ),
} as const satisfies Record<string, Variable<unknown>>;
