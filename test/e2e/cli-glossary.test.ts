/** A glossary from the proposal of its terms to its effect on pairs, with the built-in model. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { embedmill, jsonLines } from '../support/embedmill.ts';
import { temporaryFolder } from '../support/folder.ts';

test('terms are proposed, completed and checked on pairs', async () => {
  const cwd = temporaryFolder();
  const texts = [
    '宫颈癌可以预防',
    '患者诊断为宫颈癌',
    '宫颈癌早期筛查',
    'The patient takes paracetamol for pain and fever.',
    'Paracetamol is given for pain, not for fever.',
    'Too much paracetamol does not help the patient with pain.',
  ];
  writeFileSync(join(cwd, 'in.jsonl'), jsonLines(texts.map((text, n) => ({ id: `row${n}`, text }))));
  const suggested = await embedmill(['glossary', 'suggest', 'in.jsonl', '--to', 'terms.csv'], { cwd });
  expect(suggested.code, suggested.stderr).toBe(0);
  expect(suggested.stderr).toMatch(
    /tokens of these texts are unknown to all-MiniLM-L6-v2 \(mostly Chinese\)/,
  );
  const proposal = readFileSync(join(cwd, 'terms.csv'), 'utf8');
  expect(proposal).toMatch(/^term,wording,case,language,count,texts,pieces,unknown,neighbours,example\n/);
  expect(proposal).toMatch(/^paracetamol,paracetamol,,,3,3,4,0,pain,/m);
  expect(proposal).toMatch(/^宫颈癌,宫颈癌,,,3,3,3,3,,宫颈癌可以预防$/m);

  const pairs = [
    { a: '宫颈癌', b: 'cervical cancer', label: 'same' },
    { a: '宫颈癌', b: 'paracetamol', label: 'different' },
  ];
  writeFileSync(join(cwd, 'pairs.jsonl'), jsonLines(pairs));
  const check = async () => {
    const args = ['glossary', 'check', 'terms.csv', '--pairs', 'pairs.jsonl', '--json'];
    const { code, stdout, stderr } = await embedmill(args, { cwd });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const { terms, unchanged, effect } = await check();
  expect(unchanged).toBe(terms);
  for (const { before, after } of effect.pairs) expect(after).toBe(before);
  writeFileSync(join(cwd, 'terms.csv'), proposal.replace('宫颈癌,宫颈癌,,', '宫颈癌,cervical cancer,,zh'));
  const completed = await check();
  expect(completed).toMatchObject({ languages: { zh: 1 }, unchanged: terms - 1, chains: [] });
  expect(completed.effect.rightOrder.after).toBe(1);
  expect(completed.effect.same.after).toBeCloseTo(1, 5);
  expect(completed.effect.same.before).toBeLessThan(0.3);

  writeFileSync(join(cwd, 'terms.csv'), `${proposal}paracetamol,painkiller,,,1,1,4,0,,x\n`);
  const repeated = await embedmill(['glossary', 'check', 'terms.csv'], { cwd });
  expect(repeated).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/terms\.csv:\d+ repeats the term "paracetamol" of terms\.csv:\d+/),
  });
});
