/** Saves a chart as .svg or .png. */

import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { loadLibrary } from '../../shell/on-demand.ts';
import { checkOutputPath } from '../../shell/output-path.ts';

/** Pixels of the .png per unit of the chart, for high-density screens. */
const SCALE = 2;

/** Checks an output path before any work starts. @throws {UsageError} for another extension or a missing folder */
export function checkPlotPath(path: string): void {
  checkOutputPath(path, ['.svg', '.png'], 'plot');
}

/** Writes the chart in the format of the extension. */
export async function savePlot(path: string, svg: string): Promise<void> {
  if (extname(path).toLowerCase() === '.svg') {
    await writeFile(path, `${svg}\n`);
    return;
  }
  const { Resvg } = await loadLibrary(
    'A plot is written as .png',
    '@resvg/resvg-js',
    () => import('@resvg/resvg-js'),
  );
  const image = new Resvg(svg, { fitTo: { mode: 'zoom', value: SCALE }, font: { loadSystemFonts: true } });
  await writeFile(path, image.render().asPng());
}
