/**
 * Installs the packed packages into empty folders and uses them there: `npm run test:pack`, with `-- --node 20,22,24`
 * for the major versions of Node (default: the present one).
 *
 * Install scripts are disabled and nothing of this checkout is found from there. Each step prints its time.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { main } from '../lib/main.mjs';
import { Registry } from './registry.mjs';

const execute = promisify(execFile);

/** What an installation may take on disk. */
const MAXIMUM_MB = 250;

const REVIEWS = [
  'id,text',
  'B1,The battery lasts two days.',
  'B2,It arrived broken.',
  'B3,"Soft, warm and light."',
  '',
];

await main(async () => {
  const { values } = parseArgs({ options: { node: { type: 'string', default: '' } } });
  const majors = values.node.split(',').filter((each) => each !== '');
  const scratch = await mkdtemp(join(tmpdir(), 'embedmill-pack-'));
  try {
    const staged = join(scratch, 'staged');
    await step('staged', () => execute(process.execPath, [join(import.meta.dirname, 'stage.mjs'), staged]));
    await mkdir(join(scratch, 'tarballs'));
    const registry = await Registry.open(staged, join(scratch, 'tarballs'));
    try {
      for (const { name, version, bytes } of registry.packages) {
        console.log(`  ${name}@${version}: ${(bytes / 1e6).toFixed(2)} MB packed`);
      }
      await checkManifests(registry);
      for (const major of majors.length > 0 ? majors : [undefined]) {
        const folder = join(scratch, `node-${major ?? 'present'}`);
        await mkdir(folder);
        await use(registry, folder, await nodeOf(major, scratch));
      }
    } finally {
      await registry.close();
    }
    console.log('The packed packages work.');
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
});

/** The linters of packed packages, which are no dependency of this repository. */
async function checkManifests(registry) {
  for (const { name, path } of registry.packages) {
    if (/-(linux|darwin|win32)-/.test(name)) continue;
    await step(`publint ${name}`, () => npx('publint@0.3.22', ['run', path, '--strict']));
    if (name === 'embedmill') continue;
    await step(`are-the-types-wrong ${name}`, () =>
      npx('@arethetypeswrong/cli@0.18.5', ['--profile', 'esm-only', path]),
    );
  }
}

function npx(tool, args) {
  return execute('npx', ['--yes', tool, ...args], { cwd: tmpdir() });
}

/** Path of the Node of a major version, from npm; the present one without a version. */
async function nodeOf(major, scratch) {
  if (major === undefined) return process.execPath;
  const folder = join(scratch, `runtime-${major}`);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{}');
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  await execute('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${major}`], {
    cwd: folder,
  });
  return join(folder, 'node_modules', name, 'bin/node');
}

/** Installs and uses the command with one Node, in an environment of its own. */
async function use(registry, folder, node) {
  const { stdout: version } = await execute(node, ['--version']);
  console.log(`Node ${version.trim()}`);
  const environment = {
    ...inheritedEnvironment(),
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    EMBEDMILL_CACHE: join(folder, 'cache'),
    EMBEDMILL_DATA_DIR: join(folder, 'data'),
    // The default may be in use on this machine.
    EMBEDMILL_WORKER_PORT: '0',
    npm_config_cache: join(folder, 'npm-cache'),
    npm_config_registry: registry.url,
    npm_config_ignore_scripts: 'true',
    npm_config_update_notifier: 'false',
  };
  const options = { cwd: folder, env: environment, maxBuffer: 64 * 1024 * 1024 };
  await writeFile(join(folder, 'package.json'), '{}');
  await writeFile(join(folder, 'reviews.csv'), REVIEWS.join('\n'));

  const cold = await step('npx embedmill embed, cold cache', () =>
    execute('npx', ['--yes', 'embedmill', 'embed', 'reviews.csv', '--to', 'cold.parquet'], options),
  );
  expectNoWarning(cold.stderr);
  const install = await step('npm install', () =>
    execute('npm', ['install', '--no-audit', '--no-fund', 'embedmill'], options),
  );
  expectNoWarning(install.stderr);
  const megabytes = await sizeOf(join(folder, 'node_modules'));
  console.log(`  node_modules: ${megabytes} MB`);
  if (megabytes >= MAXIMUM_MB)
    throw new Error(`node_modules takes ${megabytes} MB, expected less than ${MAXIMUM_MB}`);

  const entry = join(folder, 'node_modules/embedmill/bin/embedmill.mjs');
  const command = (...args) =>
    step(`embedmill ${args.join(' ')}`, () => execute(node, [entry, ...args], options));
  await step('node -e 0', () => execute(node, ['-e', '0']));
  await command('--version');
  expectText((await command('licenses')).stdout, 'Apache License 2.0');
  await command('doctor');
  await command('embed', 'reviews.csv', '--to', 'reviews.parquet');
  await command('embed', 'reviews.csv', '--to', 'reviews.csv.npy');
  expectText((await command('search', 'reviews.parquet', 'dead on arrival', '--json')).stdout, 'B2');
  await command('embed', 'reviews.csv', '--to', 'onnx.npy', '--engine', 'onnx');
  expectText((await command('up', '--once', '--port', '0')).stderr, '2,500 sample reviews');
  const missing = await command('embed', 'duckdb:', '--query', "SELECT 'x' AS text", '--to', 'd.npy').catch(
    (error) => error,
  );
  expectText(missing.stderr, 'npm install @duckdb/node-api');
  const bytes = await readFile(join(folder, 'cold.parquet'));
  if (!bytes.equals(await readFile(join(folder, 'reviews.parquet'))))
    throw new Error('npx and npm install gave other bytes');
}

/** What an installation may inherit: proxies and certificates, but nothing of npm or of Embedmill. */
function inheritedEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|embedmill_|redis_url$|path$)/i.test(name)),
  );
}

/** Runs one step and prints its time. */
async function step(name, work) {
  const startMs = performance.now();
  try {
    return await work();
  } catch (error) {
    error.message = `${name} failed: ${error.message}\n${error.stdout ?? ''}`;
    throw error;
  } finally {
    console.log(`  ${((performance.now() - startMs) / 1000).toFixed(2)} s  ${name}`);
  }
}

function expectNoWarning(stderr) {
  if (/npm (warn|error)/i.test(stderr)) throw new Error(`npm printed:\n${stderr}`);
}

function expectText(text, part) {
  if (!text.includes(part)) throw new Error(`expected ${JSON.stringify(part)} in:\n${text}`);
}

async function sizeOf(folder) {
  const { stdout } = await execute('du', ['-sm', folder]);
  return Number.parseInt(stdout, 10);
}
