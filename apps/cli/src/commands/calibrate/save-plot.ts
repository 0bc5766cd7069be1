/** Saves a chart as .svg or .png. */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';
import { loadLibrary } from '../../shell/on-demand.ts';

/** Pixels of the .png per unit of the chart, for high-density screens. */
const SCALE = 2;

/**
 * Checks an output path before any work starts.
 * @throws {UsageError} for another extension or a missing folder
 */
export function checkPlotPath(path: string): void {
  if (!['.svg', '.png'].includes(extname(path).toLowerCase())) {
    throw new UsageError(`the plot ${quote(path, 200)} must end in .svg or .png`);
  }
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${quote(folder, 200)} for the plot`);
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
