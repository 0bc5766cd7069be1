/** Compares infra/Dockerfile with the workspaces: manifests and compiled packages that the images need. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Workspace {
  folder: string;
  dependencies: string[];
}

/** All workspaces by package name. */
const workspaces = new Map<string, Workspace>(
  ['packages', 'apps']
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
    .map((folder) => {
      const { name, dependencies = {} } = JSON.parse(
        readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
      ) as { name: string; dependencies?: Record<string, string> };
      return [name, { folder, dependencies: Object.keys(dependencies) }];
    }),
);

/** The lines of each stage by its name. */
const stages = new Map(
  readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8')
    .split(/^FROM /m)
    .slice(1)
    .map((stage): [string, string[]] => [/ AS ([\w-]+)/.exec(stage)?.[1] ?? '', stage.split('\n')]),
);

/** The folders of a package and of all workspaces that it depends on, directly or not. */
function foldersNeededBy(name: string, found = new Set<string>()): Set<string> {
  const workspace = workspaces.get(name);
  if (workspace === undefined || found.has(workspace.folder)) return found;
  found.add(workspace.folder);
  for (const dependency of workspace.dependencies) foldersNeededBy(dependency, found);
  return found;
}

describe('infra/Dockerfile', () => {
  it('copies the manifest of every workspace, which npm ci requires', () => {
    const lines = stages.get('manifests');
    for (const { folder } of workspaces.values())
      expect(lines).toContain(`COPY ${folder}/package.json ${folder}/`);
  });

  it.each([
    ['producer', '@embedmill/producer'],
    ['worker', '@embedmill/worker'],
    ['model', '@embedmill/embed'],
  ])('copies into %s each compiled package that %s imports', (stage, name) => {
    const folders = foldersNeededBy(name);
    expect(folders.size).toBeGreaterThan(1);
    for (const folder of folders)
      expect(stages.get(stage)).toContain(`COPY --from=build /app/${folder}/dist ${folder}/dist`);
  });
});
