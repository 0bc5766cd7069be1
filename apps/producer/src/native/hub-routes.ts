/**
 * Serves the models that are installed beside the producer in the protocol of the model hub, so that workers pull
 * them with `HF_ENDPOINT=http://producer:8080/hub`.
 *
 * Decision: docs/decisions/0167.
 */

import { quote, RequestError } from '@embedmill/contract';
import { InstalledModels, type InstalledRepository } from '@embedmill/core/hub';
import { type Request, Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';

/** `/hub/api/models/…` and `/hub/OWNER/NAME/resolve/…`. */
export function hubRoutes({ config }: RouteDeps): Router {
  const router = Router();
  const models = new InstalledModels(config.cacheDir);

  /** @throws {RequestError} `not-found` for another model or commit */
  const find = async ({ params }: Request): Promise<InstalledRepository> => {
    const [owner, name, revision] = [params.owner, params.name, params.revision].map(String);
    const model = await models.find(owner!, name!);
    if (model === null) {
      throw new RequestError(
        'not-found',
        `no model ${quote(`${owner}/${name}`, 200)} is installed on this producer; see "embedmill model list" there`,
      );
    }
    if (!['main', model.commit, model.pulledCommit].includes(revision!)) {
      throw new RequestError(
        'not-found',
        `the model ${quote(`${owner}/${name}`, 200)} is installed at ${model.commit}, not ${quote(revision)}`,
      );
    }
    return model;
  };

  addPath(router, '/hub/api/models/:owner/:name/revision/:revision', {
    get: async (req, res) => {
      const { commit, files } = await find(req);
      sendJson(res, 200, {
        id: `${req.params.owner}/${req.params.name}`,
        sha: commit,
        siblings: files.map(({ path, bytes, digest }) => ({
          rfilename: path,
          size: bytes,
          lfs: { sha256: digest, size: bytes },
        })),
      });
    },
  });

  addPath(router, '/hub/:owner/:name/resolve/:revision/*path', {
    get: async (req, res) => {
      const { folder, files, commit } = await find(req);
      const path = [req.params.path].flat().join('/');
      const file = files.find((each) => each.path === path);
      if (file === undefined)
        throw new RequestError('not-found', `the model has no file ${quote(path, 200)}`);
      res.setHeader('X-Repo-Commit', commit);
      res.setHeader('ETag', `"${file.digest}"`);
      await new Promise<void>((resolve, reject) => {
        // It knows ranges; a client that disconnects is not an error of the producer.
        res.sendFile(path, { root: folder, cacheControl: false, etag: false }, (error) => {
          if (error === undefined || res.headersSent) resolve();
          else reject(error);
        });
      });
    },
  });
  return router;
}
