/** Writes a drawing as .svg or .png, as its name asks. */

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { quote } from '@embedmill/contract';
import { UsageError } from '../../shell/exit-codes.ts';

/** Pixels of the .png per unit of the drawing, for screens that have many. */
const SCALE = 2;

/** Refuses a name that cannot be drawn to, before anything is computed. @throws {UsageError} */
export function checkPlotPath(path: string): void {
  if (!['.svg', '.png'].includes(extname(path).toLowerCase())) {
    throw new UsageError(`the plot ${quote(path, 200)} must end in .svg or .png`);
  }
  const folder = dirname(resolve(path));
  if (!existsSync(folder)) throw new UsageError(`there is no folder ${quote(folder, 200)} for the plot`);
}

export async function savePlot(path: string, svg: string): Promise<void> {
  if (extname(path).toLowerCase() === '.svg') {
    await writeFile(path, `${svg}\n`);
    return;
  }
  const { Resvg } = await import('@resvg/resvg-js');
  const image = new Resvg(svg, { fitTo: { mode: 'zoom', value: SCALE }, font: { loadSystemFonts: true } });
  await writeFile(path, image.render().asPng());
}
