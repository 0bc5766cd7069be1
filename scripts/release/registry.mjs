/** A registry on loopback that has the staged packages and sends npm elsewhere for all others. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** Serves packages by name, as `npm install` asks for them. */
export class Registry {
  #server;
  #upstream;
  /** By name: manifest and packed file. */
  #packages = new Map();

  /**
   * Packs every package below `folder` and listens.
   * @param {string} folder as stage.mjs writes it
   * @param {string} tarballs where the packed files go
   */
  static async open(folder, tarballs) {
    const registry = new Registry();
    registry.#upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
    for (const name of readdirSync(folder)) registry.#pack(join(folder, name), tarballs);
    registry.#server = createServer((req, res) => registry.#answer(req, res)).listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  /** For `npm --registry`. */
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  /** The packages: name, version, packed size in bytes and path of the file. */
  get packages() {
    return [...this.#packages.values()].map(({ manifest, bytes, path }) => ({
      name: manifest.name,
      version: manifest.version,
      bytes: bytes.length,
      path,
    }));
  }

  async close() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pack(folder, tarballs) {
    const output = execFileSync(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs, folder],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const path = join(tarballs, JSON.parse(output)[0].filename);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    this.#packages.set(manifest.name, { manifest, path, bytes: readFileSync(path) });
  }

  #answer({ url }, response) {
    const [name, file] = decodeURIComponent(url).slice(1).split('/-/');
    const found = this.#packages.get(name);
    if (found === undefined) {
      response.writeHead(302, { location: new URL(url.slice(1), this.#upstream).href }).end();
      return;
    }
    const { manifest, bytes } = found;
    if (file !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
      return;
    }
    const dist = {
      tarball: `${this.url}${name}/-/package.tgz`,
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, dist } },
      }),
    );
  }
}
