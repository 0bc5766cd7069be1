/** Serves the OpenAPI document and Swagger UI, without resources from other servers. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { RequestError } from '@embedmill/contract';
import { Router } from 'express';
import { addPath } from '../http/add-path.ts';
import { thirdPartyPagePolicy } from '../http/page-policy.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { openApiDocument } from './document.ts';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Embedmill API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="page"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl: null` stops the page from sending the document to a validator of swagger.io. */
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', validatorUrl: null, deepLinking: true });
`;

/** The files of Swagger UI that the page loads. */
const ASSETS = new Set(['swagger-ui.css', 'swagger-ui-bundle.js']);
const ASSET_FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** `/openapi.json`, `/docs` and the files of the page. */
export function docsRoutes({ version, access }: RouteDeps): Router {
  const router = Router();
  let document: ReturnType<typeof openApiDocument> | undefined;
  addPath(router, '/openapi.json', {
    get: (_req, res) => {
      // Built on first use: it takes longer than all other routes together.
      document ??= openApiDocument({ version, requiresKeys: access?.keys !== undefined });
      return sendJson(res, 200, document);
    },
  });
  router.use('/docs', thirdPartyPagePolicy);
  addPath(router, '/docs', { get: (_req, res) => void res.type('html').send(PAGE) });
  addPath(router, '/docs/:file', {
    get: (req, res) => {
      const file = String(req.params.file);
      if (file === 'start.js') return void res.type('js').send(START);
      if (ASSETS.has(file)) return res.sendFile(join(ASSET_FOLDER, file), { maxAge: '1h' });
      throw new RequestError('not-found', `/docs has no file ${JSON.stringify(file.slice(0, 100))}`);
    },
  });
  return router;
}
