/** Compares .github/workflows/engine.yml with what the engine's scripts and its loader name. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Job {
  strategy: { matrix: { include: { package: string; runner: string }[] } };
  steps: { run?: string; uses?: string; with?: Record<string, string> }[];
}

const workflow = parse(readFileSync(join(ROOT, '.github/workflows/engine.yml'), 'utf8')) as {
  env: { BUILD: string };
  jobs: Record<string, Job>;
};
const jobs = Object.values(workflow.jobs);

describe('.github/workflows/engine.yml', () => {
  it('builds one package per platform', () => {
    const packages = jobs.flatMap((job) => job.strategy.matrix.include.map((entry) => entry.package));
    expect(packages.sort()).toEqual([
      'engine-darwin-arm64',
      'engine-darwin-x64',
      'engine-linux-arm64',
      'engine-linux-arm64-musl',
      'engine-linux-x64',
      'engine-linux-x64-musl',
      'engine-win32-x64',
    ]);
  });

  it('builds AArch64 packages on AArch64 runners, and the others on x64', () => {
    for (const { package: name, runner } of jobs.flatMap((job) => job.strategy.matrix.include))
      expect(/-arm$|^macos-14$/.test(runner), name).toBe(name.includes('arm64'));
  });

  it('names scripts and tests that exist, in every job', () => {
    const paths = workflow.env.BUILD.match(/\S+\.(mjs|ts)\b/g) ?? [];
    expect(paths).toHaveLength(3);
    for (const path of paths) expect(existsSync(join(ROOT, path)), path).toBe(true);
    for (const job of jobs) expect(job.steps.some(({ run }) => /\bBUILD\b/.test(run ?? ''))).toBe(true);
  });

  it('uploads the folder that prebuilt.mjs writes', () => {
    for (const job of jobs)
      expect(job.steps.at(-1)).toMatchObject({ with: { path: expect.stringMatching(/^prebuilt\/\$/) } });
  });
});
