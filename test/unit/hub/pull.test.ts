/** Pulling the files of a model from a hub: what arrives, what is resumed, and what each failure says. */

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readModelName } from '@embedmill/contract';
import { type HubOptions, type PullProgress, pullFiles } from '@embedmill/core/hub';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { type HubRepository, type HubStub, startHub } from '../../support/hub.ts';
import { fill, smallFolder } from '../../support/small-folder.ts';

const WEIGHTS = Buffer.alloc(300_000, 'weights of a small model ');
const FILES = {
  'config.json': '{"model_type":"bert"}',
  'tokenizer.json': `{"model":"${'x'.repeat(2000)}"}`,
  'onnx/model_quantized.onnx': WEIGHTS,
  'onnx/model.onnx': Buffer.alloc(900_000, 'fp32 '),
  'model.safetensors': Buffer.alloc(900_000, 'fp32 '),
  'README.md': '# not needed',
};

async function hubWith(repository: Partial<HubRepository> = {}): Promise<HubStub> {
  return await startHub({ 'acme/small': { files: FILES, ...repository } });
}

interface Pull {
  name?: string;
  folder?: string;
  hub?: Partial<HubOptions>;
  precision?: 'int8' | 'fp32';
  signal?: AbortSignal;
  onProgress?: (progress: PullProgress) => void;
}

function pull(stub: Pick<HubStub, 'endpoint'>, given: Pull = {}) {
  const { name = 'acme/small', folder = temporaryFolder(), hub, precision = 'int8' } = given;
  return pullFiles({
    name: readModelName(name)!,
    precision,
    folder,
    hub: {
      endpoint: stub.endpoint,
      token: undefined,
      isOffline: false,
      cacheFolder: join(folder, 'no-cache'),
      timeoutMs: 2000,
      retryMs: 1,
      ...hub,
    },
    onProgress: given.onProgress ?? (() => {}),
    signal: given.signal ?? new AbortController().signal,
  });
}

function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

describe('a pull', () => {
  it('fetches the settings and one file of weights, pinned to the commit, and nothing else', async () => {
    const stub = await hubWith();
    const folder = temporaryFolder();
    const steps: PullProgress[] = [];
    const pulled = await pull(stub, { folder, onProgress: (step) => steps.push(step) });
    expect(listing(folder)).toEqual(['config.json', 'onnx/model_quantized.onnx', 'tokenizer.json']);
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(WEIGHTS)).toBe(true);
    expect(pulled.commit).toBe(stub.commitOf('acme/small'));
    const resolved = stub.requests.filter(({ path }) => path.includes('/resolve/'));
    expect(resolved.every(({ path }) => path.includes(`/resolve/${pulled.commit}/`))).toBe(true);
    expect(steps.at(-1)).toMatchObject({ bytesDone: pulled.bytes, bytesTotal: pulled.bytes });
  });

  it('fetches fp32 weights on request, and safetensors where there is no ONNX file', async () => {
    const stub = await hubWith();
    const folder = temporaryFolder();
    await pull(stub, { folder, precision: 'fp32' });
    expect(listing(folder)).toContain('onnx/model.onnx');
    const { 'onnx/model_quantized.onnx': _, 'onnx/model.onnx': __, ...files } = FILES;
    const other = temporaryFolder();
    await pull(await hubWith({ files }), { folder: other });
    expect(listing(other)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
  });

  it('resumes after the connection ends, with the version of what it has', async () => {
    const stub = await hubWith();
    stub.faults['onnx/model_quantized.onnx'] = [
      { kind: 'cut', afterBytes: 100_000 },
      { kind: 'cut', afterBytes: 50_000 },
    ];
    const folder = temporaryFolder();
    await pull(stub, { folder });
    const ranges = stub.requests.filter(({ host, range }) => host === 'storage' && range !== undefined);
    expect(ranges.length).toBe(2);
    expect(ranges[1]!.ifRange).toBe(`"${createHash('sha256').update(WEIGHTS).digest('hex')}"`);
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(WEIGHTS)).toBe(true);
  });

  it('that was stopped is continued by the next one', async () => {
    const stub = await hubWith();
    stub.faults['onnx/model_quantized.onnx'] = [{ kind: 'stall', afterBytes: 120_000 }];
    const folder = temporaryFolder();
    const stop = new AbortController();
    const stopped = pull(stub, {
      folder,
      signal: stop.signal,
      onProgress: ({ path, bytesDone }) => {
        if (path.endsWith('quantized.onnx') && bytesDone > 100_000) stop.abort(new Error('stopped'));
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    const kept = statSync(join(folder, 'onnx/model_quantized.onnx.part')).size;
    expect(kept).toBeGreaterThan(0);
    await pull(stub, { folder });
    expect(stub.requests.at(-1)).toMatchObject({ host: 'storage', range: `bytes=${kept}-` });
    expect(listing(folder)).toEqual(['config.json', 'onnx/model_quantized.onnx', 'tokenizer.json']);
  });

  it('starts a file again when the server ignores the range or has another version', async () => {
    const stub = await hubWith();
    stub.faults['onnx/model_quantized.onnx'] = [{ kind: 'cut', afterBytes: 1000 }, { kind: 'whole' }];
    await pull(stub);
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'onnx'));
    writeFileSync(join(folder, 'onnx/model_quantized.onnx.part'), 'bytes of another version');
    writeFileSync(join(folder, 'onnx/model_quantized.onnx.part.etag'), '"other"');
    await pull(stub, { folder });
    expect(readFileSync(join(folder, 'onnx/model_quantized.onnx')).equals(WEIGHTS)).toBe(true);
    expect(stub.requests.at(-1)).toMatchObject({ range: 'bytes=24-', ifRange: '"other"' });
  });

  it('fetches wrong bytes once more, then refuses them and keeps nothing', async () => {
    const stub = await hubWith();
    const wrong = { kind: 'wrong-bytes' } as const;
    stub.faults['onnx/model_quantized.onnx'] = [wrong];
    await pull(stub);
    stub.faults['onnx/model_quantized.onnx'] = [wrong, wrong];
    stub.faults['config.json'] = [];
    const folder = temporaryFolder();
    await expect(pull(stub, { folder })).rejects.toMatchObject({
      code: 'hub-digest',
      message: expect.stringContaining('onnx/model_quantized.onnx of acme/small arrived with other bytes'),
    });
    expect(listing(folder)).toEqual(['config.json', 'tokenizer.json']);
    stub.faults['config.json'] = [wrong, wrong];
    await expect(pull(stub)).rejects.toMatchObject({ code: 'hub-digest' });
  });

  it('gives up a server that stops sending after five attempts without progress', async () => {
    const stub = await hubWith();
    const stall = { kind: 'stall', afterBytes: 0 } as const;
    stub.faults['onnx/model_quantized.onnx'] = [stall, stall, stall, stall, stall];
    await expect(pull(stub, { hub: { timeoutMs: 50 } })).rejects.toMatchObject({ code: 'hub-unreachable' });
    expect(stub.faults['onnx/model_quantized.onnx']).toEqual([]);
  });

  it('ignores names that leave the folder', async () => {
    const stub = await hubWith({
      files: {
        ...FILES,
        '../../evil.json': 'x',
        '/etc/evil.json': 'x',
        '1_Pooling/../../config.json': 'x',
        'onnx/../../model.onnx': 'x',
        '1_Pooling/config.json': '{}',
        'a\u0000b.json': 'x',
      },
    });
    const folder = join(temporaryFolder(), 'a', 'b');
    await pull(stub, { folder });
    expect(listing(join(folder, '..', '..'))).toEqual(
      ['1_Pooling/config.json', 'config.json', 'onnx/model_quantized.onnx', 'tokenizer.json'].map((path) =>
        join('a', 'b', path),
      ),
    );
  });

  it('sends the token to the hub only', async () => {
    const stub = await hubWith({ token: 'hf_secret' });
    await pull(stub, { hub: { token: 'hf_secret' } });
    const tokens = (host: string) => [
      ...new Set(stub.requests.filter((each) => each.host === host).map((each) => each.authorization)),
    ];
    expect(tokens('hub')).toEqual(['Bearer hf_secret']);
    expect(tokens('storage')).toEqual([undefined]);
  });
});

describe('the error of a pull', () => {
  const failure = async (stub: Pick<HubStub, 'endpoint'>, given?: Pull) =>
    await pull(stub, given).then(
      () => {
        throw new Error('the pull succeeded');
      },
      (error: Error) => error.message,
    );

  it('names the model, the cause and the next step', async () => {
    const stub = await hubWith();
    expect(await failure(stub, { name: 'acme/other' })).toMatch(
      /has no model "acme\/other", or it is private; check the name, or set HF_TOKEN$/,
    );
    expect(await failure(stub, { name: 'acme/other', hub: { token: 'wrong' } })).toMatch(
      /did not accept HF_TOKEN/,
    );
    expect(await failure(stub, { name: 'acme/small@v9' })).toMatch(
      /no such revision of model "acme\/small@v9"/,
    );
    stub.faults.list = [{ kind: 'status', status: 403 }];
    expect(await failure(stub)).toMatch(/accept the terms on http.*\/acme\/small and set HF_TOKEN/);
    stub.faults.list = [{ kind: 'status', status: 429, headers: { 'retry-after': '600' } }];
    expect(await failure(stub)).toMatch(
      /limits the rate of requests; try again in 600 seconds, or set HF_TOKEN/,
    );
    stub.faults['onnx/model_quantized.onnx'] = [
      { kind: 'status', status: 404, headers: { 'x-error-code': 'EntryNotFound' } },
    ];
    expect(await failure(stub)).toMatch(/no such file in model "acme\/small"/);
    stub.faults['onnx/model_quantized.onnx'] = [{ kind: 'redirect', location: 'file:///etc/passwd' }];
    expect(await failure(stub)).toMatch(/redirects to "file:\/\/\/etc\/passwd"; expected a URL/);
  });

  it('comes only after short waits for 429 and 503 were in vain', async () => {
    const stub = await hubWith();
    stub.faults.list = [
      { kind: 'status', status: 503 },
      { kind: 'status', status: 429 },
    ];
    await pull(stub);
    stub.faults.list = Array.from({ length: 5 }, () => ({ kind: 'status', status: 503 }) as const);
    expect(await failure(stub)).toMatch(/answers with status 503; try again later/);
  });

  it('without a network is one sentence at once', async () => {
    const stub = await hubWith();
    await stub.stop();
    expect(await failure(stub)).toMatch(
      /^cannot reach http:\/\/127\.0\.0\.1:\d+ \(connection refused\); check the network, set HF_ENDPOINT to a mirror, or copy/,
    );
  });

  it('lists what a repository without usable weights has', async () => {
    const { 'config.json': config, 'tokenizer.json': tokenizer } = FILES;
    const files = { 'config.json': config, 'tokenizer.json': tokenizer, 'pytorch_model.bin': 'x' };
    expect(await failure(await hubWith({ files }))).toMatch(
      /no weights that Embedmill runs in int8.*got pytorch_model\.bin of the type bert$/,
    );
    expect(await failure(await hubWith({ files: { 'config.json': config } }))).toMatch(
      /has no tokenizer\.json/,
    );
  });

  it('for a model that is larger than the disk comes before the download', async () => {
    const stub = await hubWith({ files: { ...FILES, 'onnx/model_quantized.onnx': 2 ** 52 } });
    expect(await failure(stub)).toMatch(
      /^the model needs [\d,]+ MB and the disk of .* has [\d,]+ MB left; free some/,
    );
    expect(stub.requests.some(({ path }) => path.includes('quantized'))).toBe(false);
  });

  it('on a disk that becomes full says that what has arrived is kept', async (context) => {
    const folder = smallFolder(40);
    if (folder === null) return context.skip('mounting is not permitted');
    const files = { ...FILES, 'onnx/model_quantized.onnx': Buffer.alloc(6_000_000, 'big ') };
    const stub = await hubWith({ files });
    let isFilled = false;
    const stopped = failure(stub, {
      folder,
      onProgress: ({ path }) => {
        if (isFilled || !path.endsWith('quantized.onnx')) return;
        isFilled = true;
        fill(join(folder, 'filler'));
      },
    });
    expect(await stopped).toMatch(
      /^the disk is full .* run the same command again: what has arrived is kept$/,
    );
    expect(existsSync(join(folder, 'onnx/model_quantized.onnx.part'))).toBe(true);
  });
});

describe('the cache of other tools', () => {
  function cacheOf(stub: HubStub, files: Record<string, string | Buffer>): string {
    const cache = temporaryFolder();
    const root = join(cache, 'models--acme--small');
    const commit = stub.commitOf('acme/small');
    mkdirSync(join(root, 'blobs'), { recursive: true });
    mkdirSync(join(root, 'refs'));
    writeFileSync(join(root, 'refs', 'main'), commit);
    for (const [path, content] of Object.entries(files)) {
      const bytes = Buffer.from(content);
      const isLarge = bytes.length > 1000;
      const digest = createHash(isLarge ? 'sha256' : 'sha1')
        .update(isLarge ? '' : `blob ${bytes.length}\0`)
        .update(bytes)
        .digest('hex');
      writeFileSync(join(root, 'blobs', digest), bytes);
      const link = join(root, 'snapshots', commit, path);
      mkdirSync(join(link, '..'), { recursive: true });
      symlinkSync(join(root, 'blobs', digest), link);
    }
    return cache;
  }

  it('is used instead of the hub, file by file, unless the bytes are wrong', async () => {
    const stub = await hubWith();
    const cacheFolder = cacheOf(stub, {
      'onnx/model_quantized.onnx': WEIGHTS,
      'config.json': FILES['config.json'],
    });
    const pulled = await pull(stub, { hub: { cacheFolder } });
    expect(pulled.reusedBytes).toBe(WEIGHTS.length + FILES['config.json'].length);
    const blobs = join(cacheFolder, 'models--acme--small', 'blobs');
    for (const name of readdirSync(blobs)) writeFileSync(join(blobs, name), 'damaged');
    expect((await pull(stub, { hub: { cacheFolder } })).reusedBytes).toBe(0);
  });

  it('suffices offline, where no request is sent', async () => {
    const stub = await hubWith();
    const cacheFolder = cacheOf(stub, FILES);
    const hub = { cacheFolder, isOffline: true };
    const pulled = await pull(stub, { hub });
    expect(pulled.commit).toBe(stub.commitOf('acme/small'));
    await expect(pull(stub, { hub, name: 'acme/other' })).rejects.toThrow(
      /^acme\/other cannot be pulled offline: .* does not have it; leave out --offline/,
    );
    expect(stub.requests).toEqual([]);
  });
});
