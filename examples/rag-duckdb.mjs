/**
 * Retrieval for a language model: embeds passages, keeps them in DuckDB and prints the prompt for a question.
 *
 *     node examples/rag-duckdb.mjs [URL of the producer] [question]
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARRAY, arrayValue, DuckDBInstance, FLOAT } from '@duckdb/node-api';
import { EmbedmillClient } from '@embedmill/client';

const [url = 'http://127.0.0.1:8080', question = 'Is a cracked display repaired for free?'] =
  process.argv.slice(2);
const client = new EmbedmillClient({ url, apiKey: process.env.EMBEDMILL_API_KEY });
const database = await (await DuckDBInstance.create()).connect();
const articles = fileURLToPath(new URL('articles.jsonl', import.meta.url));
await database.run('create table passages as select id, text from read_json($1)', [articles]);

// The passages become one run; its vectors come back as Parquet, which DuckDB reads.
const passages = (await database.runAndReadAll('from passages')).getRowObjectsJson();
const run = await client.createRun({ name: 'passages' });
await client.sendRows(run.id, passages);
await client.seal(run.id);
const { dim } = await client.waitFor(run.id);
const folder = await mkdtemp(join(tmpdir(), 'embedmill-rag-'));
try {
  const file = join(folder, 'vectors.parquet');
  await writeFile(file, await client.openResults(run.id, 'parquet'));
  await database.run(
    `create table indexed as
     select id, text, vector::float[${dim}] as vector from passages join read_parquet($1) using (id)`,
    [file],
  );
} finally {
  await rm(folder, { recursive: true });
}

const [asked] = (await client.embed([question])).vectors;
const nearest = await database.runAndReadAll(
  'select id, text from indexed order by array_cosine_similarity(vector, $1) desc limit 2',
  [arrayValue([...asked])],
  [ARRAY(FLOAT, dim)],
);
const context = nearest.getRowObjectsJson().map(({ id, text }) => `[${id}] ${text}`);
console.log(`Answer from these passages only, and name the passage.\n\n${context.join('\n')}\n\n${question}`);
await client.delete(run.id);
