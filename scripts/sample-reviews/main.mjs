/**
 * Generates sample reviews as JSON lines: `node scripts/sample-reviews/main.mjs [--count 2500] [--seed 1]` prints
 * them, and `--write` stores the default ones in the asset of the command (apps/cli/assets).
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ROOT } from '../lib/root.mjs';
import { generateReviews } from './generate.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2500' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});

const reviews = generateReviews({ count: Number(values.count), seed: Number(values.seed) });
const lines = reviews.map((review) => `${JSON.stringify(review)}\n`).join('');
if (values.write) {
  writeFileSync(join(ROOT, 'apps/cli/assets/sample-reviews.jsonl.gz'), gzipSync(lines, { level: 9 }));
} else {
  process.stdout.write(lines);
}
