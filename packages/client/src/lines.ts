/** Splits a byte stream into lines of text, for NDJSON and server-sent events. */

/**
 * The lines of UTF-8 text without their ending (`\n` or `\r\n`), which may be missing after the last line.
 */
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

/** Parses NDJSON; empty lines are skipped. Throws a `SyntaxError` at a line that is not JSON. */
export async function* readJsonLines<Value>(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Value> {
  for await (const line of streamLines(chunks)) if (line !== '') yield JSON.parse(line) as Value;
}
