/** The check that every client script does: the vectors are those of `POST /v1/embed`. Writes one JSON line per check. */

const url = process.argv[2];

/** Base URL of the producer. */
export const URL_OF_PRODUCER = url;

/** Texts with what clients treat differently: line ends, blanks, other scripts, a text over the token limit. */
export const TEXTS = [
  'The battery lasts two days.',
  'It arrived broken.\nThe seller answered at once.',
  '电池能用两天。 🔋',
  'A long review. '.repeat(200),
];

const expected = new Map();
for (const text of TEXTS) expected.set(text, await vectorOf(text));

/** The vector of a text from the native API. */
async function vectorOf(text) {
  const response = await fetch(`${url}/v1/embed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  });
  return Float32Array.from((await response.json()).vectors[0]);
}

/**
 * Runs a check and reports it.
 * @param client name and version
 * @param tried what is tried, for the table
 * @param work returns vectors of `texts`, or a sentence about what it saw; throws if it is wrong
 */
export async function check(client, tried, work, texts = TEXTS) {
  try {
    const seen = await work();
    const sentence = typeof seen === 'string' ? seen : compare(seen, texts);
    console.log(JSON.stringify({ client, tried, seen: sentence, ok: true }));
  } catch (error) {
    console.log(
      JSON.stringify({ client, tried, seen: String(error?.message ?? error).slice(0, 300), ok: false }),
    );
  }
}

/** Throws unless each vector is, as float32, the vector of its text. */
function compare(vectors, texts) {
  if (vectors.length !== texts.length) throw new Error(`${vectors.length} vectors for ${texts.length} texts`);
  for (const [i, text] of texts.entries()) {
    const given = Float32Array.from(vectors[i]);
    const own = expected.get(text);
    const differs = given.length !== own.length ? 0 : own.findIndex((value, at) => value !== given[at]);
    if (differs !== -1) throw new Error(`vector ${i} differs from position ${differs} on`);
  }
  return `${vectors.length === 1 ? '1 vector' : `${vectors.length} vectors`}, the bytes of the native API`;
}

/** Throws unless a call fails with a message that matches; returns the message. */
export async function refused(call, pattern) {
  const error = await call().then(
    () => undefined,
    (thrown) => thrown,
  );
  if (error === undefined) throw new Error('it was not refused');
  if (!pattern.test(error.message)) throw new Error(`another message: ${error.message}`);
  return `refused: ${pattern.source.replaceAll('\\', '')}`;
}
