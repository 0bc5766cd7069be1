/**
 * Builds the images of a release with buildx: `node scripts/release/images.mjs build --staged release --digests FOLDER
 * [--push]` for the platform of this machine, then `... tag --digests FOLDER` once for all platforms.
 *
 * Each platform is built on a machine of its own and pushed without a tag; `tag` joins the digests under the tags of the
 * version. `npm run release -- VERSION --dry-run` prints these commands.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { main } from '../lib/main.mjs';
import { ROOT } from '../lib/root.mjs';
import { dockerfileProblems } from './dockerfile.mjs';
import { manifestOf } from './manifests.mjs';

const DOCKERFILE = 'infra/Dockerfile';
const REGISTRY = 'ghcr.io/embedmill';
const NODE_IMAGE = 'node:24-bookworm-slim';

/** Name of the image by target of the Dockerfile. */
export const IMAGES = { producer: 'embedmill-producer', worker: 'embedmill-worker', embedmill: 'embedmill' };

/** As Docker names them; npm packages with native code exist for both. */
export const IMAGE_PLATFORMS = ['linux/amd64', 'linux/arm64'];

/** The tags of a version; a version before a release, such as 0.2.0-rc.1, has only its own. */
export function tagsOf(version) {
  const [major, minor] = version.split('.');
  return version.includes('-') ? [version] : [version, `${major}.${minor}`, 'latest'];
}

/**
 * Arguments of `docker` that build one image for the platform of this machine.
 *
 * @param {string} target of the Dockerfile
 * @param {{ version: string, revision: string, created: string, nodeImage: string, staged: string, digests: string,
 *   push: boolean }} options `created`: time in RFC 3339; `staged`: folder of the packages; `digests`: folder for the
 *   digests of what was built
 */
export function buildArguments(target, options) {
  const { version, revision, created, nodeImage, staged, digests, push } = options;
  const label = (name, value) => ['--label', `org.opencontainers.image.${name}=${value}`];
  const [, digest] = nodeImage.split('@');
  return [
    ...['buildx', 'build', '--file', DOCKERFILE, '--target', target],
    ...['--build-context', `staged=${staged}`],
    ...['--build-arg', `NODE_IMAGE=${nodeImage}`],
    ...['--build-arg', `VERSION=${version}`, '--build-arg', `REVISION=${revision}`],
    ...label('created', created),
    ...(digest === undefined ? [] : label('base.digest', digest)),
    ...['--sbom=true', '--provenance=mode=max'],
    '--output',
    `type=image,name=${REGISTRY}/${IMAGES[target]},push-by-digest=true,name-canonical=true,push=${push}`,
    ...['--metadata-file', join(digests, `${target}.json`)],
    '.',
  ];
}

/**
 * Arguments of `docker` that give an image its tags.
 *
 * @param {string} target of the Dockerfile
 * @param {string} version
 * @param {readonly string[]} digests one for each platform
 */
export function tagArguments(target, version, digests) {
  const image = `${REGISTRY}/${IMAGES[target]}`;
  return [
    ...['buildx', 'imagetools', 'create'],
    ...tagsOf(version).flatMap((tag) => ['--tag', `${image}:${tag}`]),
    ...digests.map((digest) => `${image}@${digest}`),
  ];
}

/** Checks the Dockerfile and prints the commands that a release runs for all images. @throws {Error} on a problem */
export function printRelease(version) {
  const problems = dockerfileProblems(readFileSync(join(ROOT, DOCKERFILE), 'utf8'), Object.keys(IMAGES));
  if (problems.length > 0) throw new Error(`${DOCKERFILE}:\n${problems.join('\n')}`);
  const options = {
    version,
    revision: '<revision>',
    created: '<time>',
    nodeImage: `${NODE_IMAGE}@<digest>`,
    staged: 'release',
    digests: 'digests',
    push: true,
  };
  console.log(`would run on a machine of each platform (${IMAGE_PLATFORMS.join(', ')}):`);
  for (const target of Object.keys(IMAGES))
    console.log(`  docker ${buildArguments(target, options).join(' ')}`);
  console.log('would run once:');
  const digests = IMAGE_PLATFORMS.map((platform) => `<digest of ${platform}>`);
  for (const target of Object.keys(IMAGES))
    console.log(`  docker ${tagArguments(target, version, digests).join(' ')}`);
}

function buildAll({ staged, digests, push }) {
  mkdirSync(join(ROOT, digests), { recursive: true });
  const options = {
    version: manifestOf('apps/cli').version,
    revision: output('git', 'rev-parse', 'HEAD'),
    created: new Date().toISOString(),
    nodeImage: pinned(NODE_IMAGE),
    staged,
    digests,
    push,
  };
  for (const target of Object.keys(IMAGES)) docker(...buildArguments(target, options));
}

function tagAll(folder) {
  for (const target of Object.keys(IMAGES)) {
    const digests = readdirSync(join(ROOT, folder)).map((platform) => {
      const metadata = readFileSync(join(ROOT, folder, platform, `${target}.json`), 'utf8');
      return JSON.parse(metadata)['containerimage.digest'];
    });
    docker(...tagArguments(target, manifestOf('apps/cli').version, digests));
  }
}

/** The image by the digest that its tag has now, so that all targets have the same base and the label names it. */
function pinned(image) {
  const manifest = output(
    'docker',
    'buildx',
    'imagetools',
    'inspect',
    image,
    '--format',
    '{{json .Manifest}}',
  );
  return `${image}@${JSON.parse(manifest).digest}`;
}

function docker(...args) {
  execFileSync('docker', args, { cwd: ROOT, stdio: 'inherit' });
}

function output(command, ...args) {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

if (process.argv[1] === import.meta.filename) {
  await main(() => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        staged: { type: 'string', default: 'release' },
        digests: { type: 'string', default: 'digests' },
        push: { type: 'boolean', default: false },
      },
    });
    if (positionals[0] === 'build') buildAll(values);
    else if (positionals[0] === 'tag') tagAll(values.digests);
    else throw new Error(`expected build or tag, not ${JSON.stringify(positionals[0] ?? '')}`);
  });
}
