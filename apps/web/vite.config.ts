/** Vite configuration of the pages: bundles them into dist/pages. */

import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the pages also work behind a proxy with a path prefix.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // A page shows the runbook, which is also part of the documentation.
  define: {
    RUNBOOK: JSON.stringify(readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')),
  },
  build: {
    outDir: 'dist/pages',
    target: 'es2022',
    // The first browsers with light-dark(), which the stylesheet uses.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    // An inlined file would be a data: URL, which the Content-Security-Policy forbids.
    assetsInlineLimit: 0,
    license: true,
  },
  worker: { format: 'es' },
  // `npm run dev -w apps/web`: pages from Vite, everything else from a producer on the default port.
  server: { proxy: { '/v1': 'http://127.0.0.1:8080', '/readyz': 'http://127.0.0.1:8080' } },
});
