/**
 * Embeds a file of rows as one run and prints the size of each vector, then finds the row nearest to a question.
 *
 *     node examples/node-client.mjs [URL of the producer] [question]
 */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { EmbedmillClient } from '@embedmill/client';

const [url = 'http://127.0.0.1:8080', question = 'How do I get my money back?'] = process.argv.slice(2);
const client = new EmbedmillClient({ url, apiKey: process.env.EMBEDMILL_API_KEY });

/** Yields the rows one by one, so that a file of any size needs little memory. */
async function* readRows() {
  const lines = createInterface({ input: createReadStream(new URL('articles.jsonl', import.meta.url)) });
  for await (const line of lines) yield JSON.parse(line);
}

const run = await client.createRun({ name: 'articles' });
await client.sendRows(run.id, readRows());
await client.seal(run.id);
const { state, verdicts } = await client.waitFor(run.id);
console.log(`${state}: ${verdicts.ok} vectors`);

// A question is answered at once, even while a run uses all workers.
const [asked] = (await client.embed([question])).vectors;
const best = { id: '', similarity: -1 };
for await (const { ids, vectors, dim } of client.readVectors(run.id)) {
  for (const [row, id] of ids.entries()) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim);
    // Vectors have length 1, so that the dot product is the cosine similarity.
    const similarity = vector.reduce((sum, value, i) => sum + value * asked[i], 0);
    if (similarity > best.similarity) Object.assign(best, { id, similarity });
  }
}
console.log(`nearest to "${question}": ${best.id}`);
await client.delete(run.id);
