/** `model pull` and `--model NAME` on first use: the model arrives, its prompts apply, and its vectors are searched. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { embedmill, jsonLines } from '../support/embedmill.ts';
import { type HubStub, startHub } from '../support/hub.ts';
import { smallBertFolder } from '../unit/embed/small-bert.ts';

const cwd = mkdtempSync(join(tmpdir(), 'embedmill-test-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 5 }));
const cache = join(cwd, 'cache');

/** The files of a folder by path. */
function filesOf(folder: string): Record<string, Buffer> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    paths
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path, readFileSync(join(folder, path))]),
  );
}

function commandsFor({ endpoint }: Pick<HubStub, 'endpoint'>) {
  const env = {
    EMBEDMILL_CACHE: cache,
    HF_ENDPOINT: endpoint,
    HF_HOME: join(cwd, 'none'),
    EMBEDMILL_THREADS: '1',
  };
  return (...args: string[]) => embedmill(args, { cwd, env });
}

test('a model is refused, then pulled by its name, and its prompts apply by themselves', async () => {
  const prompts = { prompts: { query: 'red ', document: 'blue ' } };
  const folder = smallBertFolder({ 'config_sentence_transformers.json': prompts });
  const hub = await startHub({ 'acme/colours': { files: filesOf(folder) } });
  const run = commandsFor(hub);
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines([{ text: 'green' }, { text: 'red red' }]));
  const embed = ['embed', 'in.jsonl', '--model', 'acme/colours', '--precision', 'fp32', '--quiet', '--to'];

  const refused = await run(...embed, 'a.npy');
  expect(refused).toMatchObject({
    code: 2,
    stderr:
      'embedmill: the model "acme/colours" is not installed, and no folder has this path; pull it with "embedmill model pull acme/colours", or ' +
      'allow it with --pull or EMBEDMILL_PULL=always\n',
  });
  expect(hub.requests).toEqual([]);

  expect((await run(...embed, 'a.npy', '--pull')).stderr).toBe('');
  const info = (await run('model', 'info', 'colours')).stdout;
  expect(info).toMatch(/^prompts +query "red ", document "blue " \(config_sentence_transformers\.json\)$/m);
  expect(info).toContain(`acme/colours at ${hub.commitOf('acme/colours')}`);
  const requests = hub.requests.length;

  const scoreOfGreen = async (...options: string[]) => {
    const search = ['search', 'a.npy', 'green', '--model', 'acme/colours', '--precision', 'fp32', '--json'];
    const { hits } = JSON.parse((await run(...search, ...options)).stdout);
    return hits.find(({ row }: { row: number }) => row === 0).score as number;
  };
  const asQuery = await scoreOfGreen();
  expect(await scoreOfGreen('--prompt', 'blue ')).toBeCloseTo(1, 6);
  expect(asQuery).toBe(await scoreOfGreen('--prompt', 'red '));
  expect(asQuery).toBeLessThan(0.9999);
  expect(hub.requests.length).toBe(requests);
});

test('a pulled model that does not run leaves nothing', async () => {
  const folder = smallBertFolder({ 'tokenizer.json': {} });
  const hub = await startHub({ 'acme/mute': { files: filesOf(folder) } });
  const { code, stderr } = await commandsFor(hub)('model', 'pull', 'acme/mute', '--quiet');
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^embedmill: acme\/mute was pulled but does not run: .*is not a supported tokenizer/,
  );
  expect(readdirSync(join(cache, 'models')).filter((name) => name.includes('mute'))).toEqual([]);
});

/** Real model folders: `EMBEDMILL_TEST_MODELS=FOLDER npx vitest run test/e2e/cli-pull.test.ts`. */
const real = process.env.EMBEDMILL_TEST_MODELS ?? '';

describe.skipIf(!existsSync(real))('a real model', () => {
  test.each([
    ['intfloat/multilingual-e5-small', 'multilingual'],
    ['BAAI/bge-small-zh-v1.5', 'chinese'],
  ])('%s is pulled, embeds and is searched', async (repository, short) => {
    const hub = await startHub({ [repository]: { files: filesOf(join(real, repository.split('/')[1]!)) } });
    const run = commandsFor(hub);
    const texts = ['宫颈癌', '肺癌', '手机电池不耐用', 'iPhone续航时间太短', '今天股价大跌', '子宫颈癌'];
    writeFileSync(join(cwd, 'zh.jsonl'), jsonLines(texts.map((text) => ({ id: text, text }))));
    const pulled = await run('model', 'pull', short);
    expect(pulled).toMatchObject({ code: 0 });
    expect((await run('embed', 'zh.jsonl', '--to', `${short}.npy`, '--model', short, '--quiet')).code).toBe(
      0,
    );
    const found = await run('search', `${short}.npy`, '宫颈癌', '--model', short, '--json');
    const { hits } = JSON.parse(found.stdout);
    console.log(
      pulled.stdout,
      hits.map(({ id, score }: { id: string; score: number }) => `${score.toFixed(3)} ${id}`),
    );
    expect(hits[0].id).toBe('宫颈癌');
    expect(hits[1].id).toBe('子宫颈癌');
  });
});
