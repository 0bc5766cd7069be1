/** infra/Dockerfile against the workspaces and our rules for images, and the commands that build a release from it. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dockerfileProblems } from '../../../scripts/release/dockerfile.mjs';
import {
  buildArguments,
  IMAGE_PLATFORMS,
  IMAGES,
  tagArguments,
  tagsOf,
} from '../../../scripts/release/images.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DOCKERFILE = readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8');

const TARGETS = Object.keys(IMAGES);

describe('infra/Dockerfile', () => {
  it('copies the manifest of every workspace, which npm ci requires', () => {
    const folders = ['packages', 'apps']
      .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
      .filter((folder) => existsSync(join(ROOT, folder, 'package.json')));
    expect(folders.length).toBeGreaterThan(5);
    for (const folder of folders) expect(DOCKERFILE).toContain(`\nCOPY ${folder}/package.json ${folder}/\n`);
  });

  it('keeps the rules for images', () => {
    expect(dockerfileProblems(DOCKERFILE, TARGETS)).toEqual([]);
  });

  it.each([
    [/^USER node$/gm, 'USER root', 'producer: the user is root'],
    [/^HEALTHCHECK .*\\\n.*$/gm, '', 'worker: there is no HEALTHCHECK'],
    [/^ENTRYPOINT .*$/gm, 'ENTRYPOINT embedmill', 'ENTRYPOINT is not a list'],
    [/org\.opencontainers\.image\.version=/g, 'version=', 'image.version is missing'],
    [/ AS worker$/gm, ' AS workers', 'there is no stage worker'],
    [/^FROM base AS engine$/gm, 'FROM node:latest AS engine', 'stage engine is based on node:latest'],
    [/ redis-server tini /g, ' redis-server mystery ', 'the Debian package mystery has no licence'],
    [/^COPY --from=modules/gm, 'ADD --from=modules', 'expected COPY'],
  ])('breaks them with %s replaced by %j', (pattern, replacement, problem) => {
    const changed = DOCKERFILE.replace(pattern, replacement);
    expect(changed).not.toBe(DOCKERFILE);
    expect(dockerfileProblems(changed, TARGETS).join('\n')).toContain(problem);
  });
});

describe('the images of a release', () => {
  it('are built from the published packages, with bill of materials, provenance and the digest of their base', () => {
    const line = buildArguments('worker', {
      version: '0.2.0',
      revision: 'abc',
      created: '2026-11-28T00:00:00Z',
      nodeImage: 'node:24-bookworm-slim@sha256:123',
      staged: 'release',
      digests: 'digests/x64',
      push: true,
    }).join(' ');
    for (const part of [
      '--target worker',
      '--build-context staged=release',
      '--build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:123',
      '--label org.opencontainers.image.base.digest=sha256:123',
      '--sbom=true --provenance=mode=max',
      'name=ghcr.io/embedmill/embedmill-worker,push-by-digest=true,name-canonical=true,push=true',
      '--metadata-file digests/x64/worker.json',
    ])
      expect(line).toContain(part);
  });

  it('get the tags of their version, and a preliminary version only its own', () => {
    expect(tagsOf('0.2.0')).toEqual(['0.2.0', '0.2', 'latest']);
    expect(tagsOf('0.2.0-rc.1')).toEqual(['0.2.0-rc.1']);
    expect(tagArguments('embedmill', '0.2.0-rc.1', ['sha256:1', 'sha256:2'])).toEqual([
      ...['buildx', 'imagetools', 'create', '--tag', 'ghcr.io/embedmill/embedmill:0.2.0-rc.1'],
      ...['ghcr.io/embedmill/embedmill@sha256:1', 'ghcr.io/embedmill/embedmill@sha256:2'],
    ]);
  });

  it('are those of the chart and of compose.yaml', () => {
    const { image } = parse(readFileSync(join(ROOT, 'infra/helm/embedmill/values.yaml'), 'utf8'));
    expect(image.repository).toBe('ghcr.io/embedmill');
    const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'));
    for (const target of ['producer', 'worker'])
      expect(services[target]).toMatchObject({ image: IMAGES[target], build: { target } });
  });

  it('are built by the release workflow on a machine of each platform', () => {
    const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8'));
    const { include } = jobs.images.strategy.matrix as { include: { platform: string; runner: string }[] };
    expect(include.map(({ platform }) => platform)).toEqual(IMAGE_PLATFORMS);
    for (const { platform, runner } of include)
      expect(runner.endsWith('-arm'), runner).toBe(platform === 'linux/arm64');
  });
});
