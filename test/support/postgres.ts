/** PostgreSQL, compiled to WebAssembly (PGlite), behind a socket. */

import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { onTestFinished } from 'vitest';

/** A database that ends with the test. */
export interface TestPostgres {
  database: PGlite;
  /** URL for clients, with a password. */
  url: string;
}

/** Starts an empty database on a free port; it stops with the test. */
export async function startPostgres(): Promise<TestPostgres> {
  const database = await PGlite.create();
  const server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1' });
  await server.start();
  onTestFinished(async () => {
    await server.stop();
    await database.close();
  });
  return { database, url: `postgres://postgres:secret@${server.getServerConn()}/postgres` };
}
