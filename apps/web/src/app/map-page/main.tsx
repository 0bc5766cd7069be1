/** Entry point of the page that `embedmill map --to map.html` writes; everything it shows is in the page. */

import '../styles/colors.css';
import './map-page.css';
import { decodeMapDocument } from '@embedmill/analysis/map';
import { render } from 'preact';
import { MapPage } from './map-page.tsx';

const root = document.getElementById('app')!;
try {
  const document_ = decodeMapDocument(await readData());
  render(<MapPage content={document_} />, root);
} catch (error) {
  root.textContent = `The map could not be read: ${error instanceof Error ? error.message : String(error)}`;
}

/** Decompresses the data of the page. */
async function readData(): Promise<Uint8Array> {
  const base64 = document.getElementById('map-data')!.textContent!.trim();
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
