/** Bad requests to every route of an OpenAPI document, from a seed: the same seed gives the same requests. */

import { gzipSync } from 'node:zlib';
import { seededRandom } from './seeded-random.ts';

/** A request as bytes. */
export interface BadRequest {
  method: string;
  /** Path and query as sent. */
  target: string;
  bytes: Buffer;
  /** What was done to it, for messages. */
  tricks: readonly string[];
  /** Whether it is HTTP; the parser of Node answers others without a body, or closes the connection. */
  isHttp: boolean;
}

type Json = Record<string, unknown>;
type Random = () => number;

/** The parts of the document that are read here. */
export interface RouteDocument {
  paths: Record<string, Record<string, Json>>;
  components: { schemas: Record<string, Json> };
}

/** A method of a path, and examples of its body. */
interface Route {
  method: string;
  path: string;
  schema: Json | undefined;
  /** Media type of its body. */
  type: string;
}

/** Values of path parameters. */
export interface KnownIds {
  runs: readonly string[];
  files: readonly string[];
  batches: readonly string[];
}

/** Requests without end. */
export function* badRequests(
  document: RouteDocument,
  { ids, seed }: { ids: KnownIds; seed: number },
): Generator<BadRequest> {
  const random = seededRandom(seed);
  const routes = routesOf(document);
  // Every route in turn, so that a small number of requests meets all of them.
  for (let turn = 0; ; turn++) yield requestTo(routes[turn % routes.length]!, { random, ids, document });
}

/** The number of routes of a document. */
export function countRoutes(document: RouteDocument): number {
  return routesOf(document).length;
}

function routesOf({ paths }: RouteDocument): Route[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const content = (operation.requestBody as { content?: Record<string, { schema?: Json }> } | undefined)
        ?.content;
      const [type = 'application/json', { schema = undefined } = {}] = Object.entries(content ?? {})[0] ?? [];
      return { method: method.toUpperCase(), path, schema, type };
    }),
  );
}

interface Context {
  random: Random;
  ids: KnownIds;
  document: RouteDocument;
}

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)]!;
const chance = (random: Random, share: number): boolean => random() < share;

/** Values that no schema expects, or only some. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e21,
  0.5,
  '',
  ' ',
  '\0',
  '\u202e',
  'x'.repeat(5000),
  '🙂'.repeat(200),
  [],
  [[]],
  [null],
  [1, 'a'],
  [[1, 2], ['a']],
  {},
  { a: { b: [] } },
  '__proto__',
  'constructor',
  '../../etc/passwd',
  ['', 'a'],
  [2 ** 31, -1],
  Array.from({ length: 3000 }, () => 'a'),
];

/** Fragments of JSON that JSON.stringify does not write. */
const ODD_JSON: readonly string[] = [
  '1e999',
  '-1e999',
  '123456789012345678901234567890',
  '-0',
  '1E-400',
  'NaN',
  'Infinity',
  '"\\ud800"',
  '"\\u0000"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '['.repeat(20_000),
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  "'single'",
  '01',
  '"\t"',
  '// comment',
];

const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'QUERY'];
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/json;;;',
  'text/plain',
  'application/x-ndjson',
  'text/csv; charset=latin1',
  'text/tab-separated-values',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  ';;;',
  'x'.repeat(300),
];
const ODD_HEADERS: readonly string[] = [
  'Content-Encoding: br',
  'Content-Encoding: gzip, gzip',
  'Content-Encoding: ___',
  'Accept-Encoding: br;q=2, *;q=0',
  'Accept-Encoding: gzip',
  'Accept-Encoding: \u00ff',
  'Accept: text/html',
  'Accept: ;;;',
  'Range: bytes=9-1,-,5-99999999999999999999',
  'Range: bytes=0-0',
  'If-Range: "x"',
  'If-None-Match: *',
  'If-Modified-Since: yesterday',
  'Expect: 100-continue',
  'Request-Timeout-Ms: -1',
  'Request-Timeout-Ms: soon',
  'Idempotency-Key: \u00e4',
  'Idempotency-Key: fuzz',
  `X-Request-Id: ${'x'.repeat(500)}`,
  'Origin: null',
  'Origin: https://evil.example',
  'Sec-Fetch-Site: cross-site',
  'Authorization: Bearer',
  'Authorization: Basic ====',
  'X-Forwarded-For: ::::',
  'X-HTTP-Method-Override: DELETE',
  'traceparent: 00-zz-zz-00',
  'Cookie: a=b; __proto__=c',
];
/** Headers and first lines that are not HTTP, or that hide a second request. */
const BROKEN_HEADERS: readonly string[] = [
  'Content-Length: -5',
  'Content-Length: 5, 6',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding : chunked',
  'X-Request-Id: \u0001',
  'No colon',
  'X-Null: a\0b',
  ': no name',
  `X-Large: ${'x'.repeat(20_000)}`,
];
const ODD_QUERIES = [
  'limit=999999999999',
  'limit=-1&limit=2',
  'after[a]=b',
  'state=__proto__',
  'part=1e99',
  'part=-1',
  'part=1&part=2',
  'part=7&textField=__proto__&idField=constructor',
  'part=8&delimiter=%0a&quote=ab&header=maybe',
  'part=9&charset=klingon',
  'format=../../etc/passwd',
  'format=npy&dtype=int8',
  'rows=1,2,99999999999',
  'include=%ff',
  '%ff=%fe',
  '__proto__[x]=1',
  'name=%00&complete=perhaps',
  '&&&===',
  `x=${'y'.repeat(4000)}`,
];
const ODD_SEGMENTS = [
  '%00',
  '%ff%fe',
  '..%2f..%2fetc%2fpasswd',
  '__proto__',
  'x'.repeat(300),
  '%F0%9F%99%82',
  ' ',
];

function requestTo(route: Route, context: Context): BadRequest {
  const { random } = context;
  const tricks: string[] = [];
  let isHttp = true;
  let { method, type } = route;
  if (chance(random, 0.1)) {
    method = pick(random, METHODS);
    tricks.push('method');
  }
  let target = pathOf(route.path, context, tricks);
  if (chance(random, 0.2)) {
    target += `?${pick(random, ODD_QUERIES)}`;
    tricks.push('query');
  } else if (route.path.endsWith('/rows')) target += `?part=${Math.floor(random() * 50)}`;
  let body = bodyOf(route, context, tricks);
  const headers = ['Host: localhost', 'Connection: close'];
  if (chance(random, 0.15)) {
    type = pick(random, TYPES);
    tricks.push('type');
  }
  if (body.byteLength > 0)
    headers.push(`Content-Type: ${type}${type === 'multipart/form-data' ? '; boundary=x' : ''}`);
  for (let i = Math.floor(random() * 3); i > 0; i--) {
    headers.push(pick(random, ODD_HEADERS));
    tricks.push('header');
  }
  if (chance(random, 0.05)) {
    headers.push('Content-Encoding: gzip');
    if (chance(random, 0.5)) body = gzipSync(body);
    if (chance(random, 0.3)) body = body.subarray(0, body.byteLength / 2);
    tricks.push('gzip');
  }
  if (chance(random, 0.05)) {
    headers.push(pick(random, BROKEN_HEADERS));
    isHttp = false;
    tricks.push('broken header');
  }
  let sent = body;
  if (chance(random, 0.1) && body.byteLength > 0) {
    headers.push('Transfer-Encoding: chunked');
    const size = body.byteLength.toString(16);
    sent = Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
    tricks.push('chunked');
  } else if (body.byteLength > 0 || method === 'POST') {
    headers.push(`Content-Length: ${body.byteLength}`);
  }
  let bytes = Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1'),
    sent,
  ]);
  if (chance(random, 0.04)) {
    bytes = bytes.subarray(0, Math.floor(random() * bytes.byteLength));
    isHttp = false;
    tricks.push('cut off');
  }
  if (/[^\x21-\x7e]/.test(target)) isHttp = false;
  return { method, target, bytes, tricks, isHttp };
}

function pathOf(path: string, { random, ids }: Context, tricks: string[]): string {
  const known = path.includes('/files/') ? ids.files : path.includes('/batches/') ? ids.batches : ids.runs;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (chance(random, 0.2)) {
      tricks.push('path parameter');
      return pick(random, ODD_SEGMENTS);
    }
    return name === 'id' ? pick(random, known) : name === 'part' ? '3' : 'all-minilm';
  });
  if (!chance(random, 0.08)) return filled;
  tricks.push('path');
  return pick(random, [
    `${filled}/`,
    filled.toUpperCase(),
    `/${filled}`,
    `${filled}/%2e%2e`,
    `${filled};a=b`,
    `${filled}%`,
  ]);
}

function bodyOf(route: Route, context: Context, tricks: string[]): Buffer {
  const { random, document } = context;
  if (route.method === 'GET') return chance(random, 0.1) ? Buffer.from('{"a":1}') : Buffer.alloc(0);
  if (route.path.endsWith('/rows') || route.path.endsWith('/inspect')) return rowsOf(random, tricks);
  if (route.type === 'multipart/form-data') return multipartOf(random, tricks);
  if (route.schema === undefined) return chance(random, 0.5) ? Buffer.alloc(0) : Buffer.from('{}');
  const value = mutate(exampleOf(route.schema, document, random), random, tricks);
  return spoil(JSON.stringify(value), random, tricks);
}

function rowsOf(random: Random, tricks: string[]): Buffer {
  tricks.push('rows');
  const lines = Array.from({ length: Math.floor(random() * 6) }, () =>
    pick(random, [
      '{"id":"a","text":"b"}',
      '{"id":"a"',
      '{"text":null,"id":null}',
      '{"text":7}',
      '[1,2]',
      'id,text\n1,"unclosed',
      '{"id":{"a":1},"text":"x"}',
      `{"text":"${'long '.repeat(3000)}"}`,
      '{"__proto__":{"text":"x"}}',
      '{"id":1e400,"text":"x"}',
      '{"error":{"code":7},"text":"x"}',
      pick(random, ODD_JSON),
    ]),
  );
  return spoil(lines.join(pick(random, ['\n', '\r', '\r\n', '\0'])), random, tricks);
}

function multipartOf(random: Random, tricks: string[]): Buffer {
  tricks.push('multipart');
  const part = (name: string, value: string, more = '') =>
    `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
  const fields = [
    part('purpose', pick(random, ['batch', 'fine-tune', '__proto__', ''])),
    part('file', pick(random, ['{"custom_id":"a"}', '', '\0', '{']), '; filename="../../a.jsonl"'),
    part('expires_after[seconds]', pick(random, ['3600', '-1', 'NaN', '{}'])),
    part('__proto__', 'x'),
    part('x'.repeat(300), 'y'),
    'garbage',
  ].filter(() => chance(random, 0.6));
  return spoil(`${fields.join('')}${chance(random, 0.7) ? '--x--\r\n' : ''}`, random, tricks);
}

/** A value that a JSON Schema accepts, or nearly. */
function exampleOf(schema: Json, document: RouteDocument, random: Random): unknown {
  if (typeof schema.$ref === 'string')
    return exampleOf(document.components.schemas[schema.$ref.split('/').at(-1)!] ?? {}, document, random);
  const options = (schema.anyOf ?? schema.oneOf ?? schema.allOf) as Json[] | undefined;
  if (options !== undefined) return exampleOf(pick(random, options), document, random);
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return pick(random, schema.enum);
  switch (schema.type) {
    case 'object': {
      const required = (schema.required ?? []) as string[];
      return Object.fromEntries(
        Object.entries((schema.properties ?? {}) as Record<string, Json>)
          .filter(([name]) => required.includes(name) || chance(random, 0.3))
          .map(([name, field]) => [
            name,
            name === 'model' ? 'all-minilm' : exampleOf(field, document, random),
          ]),
      );
    }
    case 'array':
      return Array.from({ length: Math.floor(random() * 3) }, () =>
        exampleOf((schema.items ?? {}) as Json, document, random),
      );
    case 'integer':
    case 'number':
      return Math.floor(random() * 300);
    case 'boolean':
      return chance(random, 0.5);
    case 'null':
      return null;
    default:
      return pick(random, ['a quiet morning', ' ', 'ein Text', 'x']);
  }
}

/** Replaces, adds and removes fields. */
function mutate(value: unknown, random: Random, tricks: string[]): unknown {
  if (chance(random, 0.08)) {
    tricks.push('another value');
    return pick(random, ODD_VALUES);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mutate(item, random, tricks));
  const entries = Object.entries(value).map(([name, field]): [string, unknown] => [
    name,
    mutate(field, random, tricks),
  ]);
  if (chance(random, 0.1)) {
    tricks.push('another field');
    entries.push([pick(random, ['__proto__', 'constructor', 'toString', '', 'x'.repeat(200), '\u202e']), 1]);
  }
  return Object.fromEntries(entries);
}

/** Makes JSON or rows invalid in a way that no value can be. */
function spoil(text: string, random: Random, tricks: string[]): Buffer {
  const bytes = Buffer.from(text);
  if (!chance(random, 0.35)) return bytes;
  const at = Math.floor(random() * (bytes.byteLength + 1));
  const insert = (added: Buffer) => Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
  const [trick, spoilt] = pick<[string, () => Buffer]>(random, [
    ['cut', () => bytes.subarray(0, at)],
    [
      'inserted bytes',
      () => insert(Buffer.from(Array.from({ length: 4 }, () => Math.floor(random() * 256)))),
    ],
    ['invalid UTF-8', () => insert(Buffer.from([0xc3, 0x28, 0xff]))],
    ['UTF-16', () => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['byte order mark', () => Buffer.from(`\ufeff${text}`)],
    [
      'odd JSON',
      () => Buffer.from(text.replace(/:("[^"]*"|\d+|null|true|false)/, () => `:${pick(random, ODD_JSON)}`)),
    ],
    ['only odd JSON', () => Buffer.from(pick(random, ODD_JSON))],
    [
      'duplicate key',
      () => Buffer.from(text.replace(/\{("[^"]+")/, (_, key) => `{${key}:7,${key}:[],${key}`)),
    ],
    ['twice', () => Buffer.from(text + text)],
    ['nothing', () => Buffer.alloc(0)],
  ]);
  tricks.push(trick);
  return spoilt();
}
