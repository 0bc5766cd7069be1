/** Vite configuration of the map page: one script and one stylesheet, which `embedmill map` writes into its page. */

import { defineConfig } from 'vite';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  publicDir: false,
  build: {
    outDir: 'dist/map-page',
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: false,
    lib: {
      entry: 'src/app/map-page/main.tsx',
      formats: ['es'],
      fileName: () => 'map-page.js',
      cssFileName: 'map-page',
    },
  },
});
