/** Stream converters of text: charsets, line ends, and other records into JSON Lines. */

type TextStream = TransformStream<string, string>;

/** Decodes bytes; a byte order mark is dropped, an invalid sequence becomes U+FFFD. */
export function decodeText(charset: string): TransformStream<Uint8Array<ArrayBuffer>, string> {
  const decoder = new TextDecoder(charset);
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(decoder.decode(chunk, { stream: true })),
    flush: (controller) => controller.enqueue(decoder.decode()),
  });
}

/** Replaces a CR, which ends a line in old files of the Macintosh, by a line feed. */
export function joinLines(): TextStream {
  return new TransformStream({
    transform: (chunk, controller) => controller.enqueue(chunk.replaceAll('\r', '\n')),
  });
}

/** Makes each line a JSON object with the field `text`; the last line may lack its end. */
export function recordsOfLines(): TextStream {
  let rest = '';
  const record = (line: string) => `${JSON.stringify({ text: line.replace(/\r$/, '') })}\n`;
  return new TransformStream({
    transform: (chunk, controller) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) controller.enqueue(lines.map(record).join(''));
    },
    flush: (controller) => {
      if (rest !== '') controller.enqueue(record(rest));
    },
  });
}

/**
 * Makes each element of a JSON array a line. Only the commas and brackets of the array are removed; an invalid
 * element stays as it is, so that the producer refuses it alone.
 */
export function recordsOfArray(): TextStream {
  let depth = 0;
  let isString = false;
  let isEscaped = false;
  let element = '';
  const take = (): string => {
    const line = element.trim();
    element = '';
    return line === '' ? '' : `${line}\n`;
  };
  return new TransformStream({
    transform: (chunk, controller) => {
      let lines = '';
      let start = 0;
      const keepTo = (end: number) => {
        // A line end between two tokens means no more than a space.
        element += isString ? chunk.slice(start, end) : chunk.slice(start, end).replace(/[\r\n]/g, ' ');
        start = end;
      };
      for (let i = 0; i < chunk.length; i++) {
        const char = chunk[i];
        if (isString) {
          if (isEscaped) isEscaped = false;
          else if (char === '\\') isEscaped = true;
          else if (char === '"') {
            keepTo(i + 1);
            isString = false;
          }
        } else if (char === '"') {
          keepTo(i);
          isString = true;
        } else if (char === '[' || char === '{') {
          if (depth === 0) start = i + 1;
          depth += 1;
        } else if (char === ']' || char === '}') {
          depth -= 1;
          if (depth === 0) {
            keepTo(i);
            start = i + 1;
            lines += take();
          }
        } else if (char === ',' && depth === 1) {
          keepTo(i);
          start = i + 1;
          lines += take();
        }
      }
      keepTo(chunk.length);
      if (lines !== '') controller.enqueue(lines);
    },
    flush: (controller) => controller.enqueue(take()),
  });
}
