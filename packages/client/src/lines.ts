/** Cuts bytes into lines of text; NDJSON and server-sent events are read with it. */

/** Lines without their end (`\n` or `\r\n`); the last one may lack it. */
export async function* streamLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/** The values of JSON lines. */
export async function* readJsonLines<Value>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Value> {
  for await (const line of streamLines(chunks)) if (line !== '') yield JSON.parse(line) as Value;
}
