/** Runs the wording check over small trees: rejected wordings, accepted ones, and the files it reads. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

const CHECK = fileURLToPath(new URL('../../../scripts/check-english.mjs', import.meta.url));

/** Runs the check in a new folder with these files. */
async function check(files: Readonly<Record<string, string>>, ...paths: string[]) {
  const tree = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  const run = startNode([CHECK, ...(paths.length === 0 ? ['.'] : paths)], { cwd: tree });
  const { code } = await run.waitForExit();
  return { code, stdout: run.stdout, findings: run.stderr.trimEnd().split(/\n(?! {4})/) };
}

describe('check:english', () => {
  const rejected: [wording: string, instead: string][] = [
    ['throw new Error(`"mill" is no URL`);', '"is not a URL"'],
    ['// An empty list is no text.', '"is not a text"'],
    ['/** The rest is no "array". */', '"is not an array"'],
    ['/** Tells whether it is no worker. */', '"is not a worker"'],
    ["option('--batch-rows <n>', 'most rows of a batch');", '"maximum rows"'],
    ['/** Most bytes per second. */', '"maximum bytes"'],
    ['/** ARGV 1 most bytes, 2 a lifetime. */', '"maximum bytes"'],
    ['const said = `  least cosine to fp32`;', '"minimum cosine"'],
    ['// Rejects for a fault of ours.', '"internal"'],
    ['/** A queue of its own kind. */', '"separate"'],
    ['// It would try to connect for ever.', '"forever"'],
    ["note('The input has changed; starting anew.');", '"again"'],
    ['// Meanwhile the others continue.', '"while …"'],
    ['/** Thrown when nobody answers. */', '"is unreachable"'],
    ['/** The mean over so many seconds. */', '"this number of …"'],
    ['/** By the clock of Redis. */', '"in Redis time"'],
    ['/** At most 1 600 000. */', '"1,600,000"'],
    ['/** Default 30\u2009000. */', '"30,000"'],
    ['/** Default 30\u00a0000. */', '"30,000"'],
  ];
  test('rejects each wording, with its line and a replacement', async () => {
    const { code, stdout, findings } = await check({
      'src/a.ts': rejected.map(([wording]) => `${wording}\n`).join(''),
    });
    expect(findings).toEqual(
      rejected.map(([wording, instead], n) =>
        expect.toSatisfy(
          (finding: string) =>
            finding.startsWith(`src/a.ts:${n + 1}: "`) &&
            finding.slice(finding.indexOf('; write ')).includes(instead) &&
            finding.endsWith(`\n    ${wording}`),
          `${wording} → ${instead}`,
        ),
      ),
    );
    expect(stdout).toBe(`${rejected.length} wordings to change.\n`);
    expect(code).toBe(1);
  });

  const allowed = [
    'There is no file. Where there is no file, it is no longer read; it is no larger and no more than it was.',
    'It is no surprise that chopping is no work.',
    'Most texts have 12 tokens, and most bytes of most files are passed here. At least texts and at most rows.',
    'It runs instead of ours. For every run, forever. So many rows that it waits. So many that they wait.',
    'HTTP/1.1 408, Node 20.19, 2026 100, 0 0 24 240, 1,000 and 1000, 10 2, EMI2 100, port 6379 100, v1 200.',
  ];
  test('accepts correct English', async () => {
    expect(await check({ 'a.md': allowed.join('\n') })).toEqual({
      code: 0,
      stdout: 'No wording to change.\n',
      findings: [''],
    });
  });

  test('finds a phrase wrapped over two lines and reports the first', async () => {
    const { findings } = await check({
      'a.ts': '/**\n * Fails when it is no\n * file.\n */\n// a store of\n// ours\n',
      'b.md': 'A line that is\nno JSON.\n\n> by the clock\n> of Redis\n',
    });
    expect(findings.map((finding) => finding.split(': ', 2).join(': '))).toEqual([
      'a.ts:2: "is no file"',
      'a.ts:5: "of ours"',
      'b.md:1: "is no JSON"',
      'b.md:4: "by the clock of"',
    ]);
  });

  test('skips code in Markdown, but not in source files', async () => {
    const text = 'See `seq 1 100`.\n\n```sh\nseq 1 100\n```\n\nDone.\n';
    expect(await check({ 'a.md': text })).toMatchObject({ code: 0 });
    expect(await check({ 'a.mjs': 'run(`seq 1 100`);\n' })).toMatchObject({ code: 1 });
  });

  test('skips fixtures and built, installed and hidden folders', async () => {
    const wrong = '// anew\n';
    const { findings, stdout } = await check({
      'a.ts': wrong,
      'b/b.tsx': wrong,
      'b/c.mjs': wrong,
      'd.md': wrong,
      'e.json': wrong,
      'dist/f.ts': wrong,
      'b/node_modules/g/g.ts': wrong,
      'test/fixtures/h.md': wrong,
      '.git/i.md': wrong,
    });
    expect(findings.map((finding) => finding.split(':', 1)[0])).toEqual([
      'a.ts',
      'b/b.tsx',
      'b/c.mjs',
      'd.md',
    ]);
    expect(stdout).toBe('4 wordings to change.\n');
  });

  test('reads only the given files and folders', async () => {
    const files = { 'a.ts': '// anew\n', 'b/b.ts': '// anew\n', 'c/c.ts': '// anew\n' };
    const { findings } = await check(files, 'a.ts', 'c');
    expect(findings.map((finding) => finding.split(':', 1)[0])).toEqual(['a.ts', 'c/c.ts']);
  });
});
