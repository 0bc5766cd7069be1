/** Builds tokenizer files that tests need in the format of the Hub: Unigram with a character map, and byte BPE. */

/** A piece and the logarithm of its probability. */
type Piece = [piece: string, score: number];

const SPECIALS = ['<s>', '<pad>', '</s>', '<unk>'];

const addedToken = (content: string, id: number) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

const FRAME = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '<s>', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '</s>', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
  special_tokens: {
    '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
    '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
  },
};

/**
 * Returns a tokenizer.json of the kind of XLM-RoBERTa: special tokens 0 to 3, then the pieces.
 * @param map replacements of the character map
 */
export function unigramFile(pieces: readonly Piece[], map: Readonly<Record<string, string>> = {}): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map(addedToken),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Precompiled', precompiled_charsmap: charsmapOf(map) },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
    post_processor: FRAME,
    decoder: { type: 'Metaspace', replacement: '▁', add_prefix_space: true },
    model: { type: 'Unigram', unk_id: 3, vocab: [...SPECIALS.map((piece): Piece => [piece, 0]), ...pieces] },
  };
}

/** Returns a tokenizer.json of byte-level BPE, as ModernBERT has it. Bytes have the ids 4 to 259. */
export function byteBpeFile(merges: readonly [string, string][]): object {
  const vocab: Record<string, number> = Object.fromEntries(SPECIALS.map((token, id) => [token, id]));
  for (const character of byteCharacters()) vocab[character] = Object.keys(vocab).length;
  for (const pair of merges) vocab[pair.join('')] = Object.keys(vocab).length;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map(addedToken),
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: FRAME,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', unk_token: null, vocab, merges: merges.map((pair) => pair.join(' ')) },
  };
}

/** The characters that byte-level BPE writes for the bytes 0 to 255 (GPT-2). */
function byteCharacters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

interface TreeNode {
  children: Map<number, TreeNode>;
  /** Offset of the replacement; undefined if no key ends here. */
  value?: number;
}

/**
 * Returns a character map in the format of SentencePiece, in base64: the size of a double array (darts-clone),
 * the array, and the replacements, each with a zero byte at its end.
 */
function charsmapOf(map: Readonly<Record<string, string>>): string {
  const root: TreeNode = { children: new Map() };
  const replacements: Buffer[] = [];
  let offset = 0;
  for (const [key, replacement] of Object.entries(map)) {
    let node = root;
    for (const byte of Buffer.from(key)) {
      const child = node.children.get(byte) ?? { children: new Map() };
      node.children.set(byte, child);
      node = child;
    }
    node.value = offset;
    const text = Buffer.from(`${replacement}\0`);
    replacements.push(text);
    offset += text.byteLength;
  }
  const units = new Map<number, number>([[0, 0]]);
  const place = (node: TreeNode, at: number): void => {
    const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()];
    if (labels.length === 0) return;
    let base = 1;
    while (labels.some((label) => units.has(base ^ label))) base += 1;
    const hasLeaf = node.value === undefined ? 0 : 1 << 8;
    units.set(at, (units.get(at)! | hasLeaf | ((at ^ base) << 10)) >>> 0);
    if (node.value !== undefined) units.set(base, (node.value | 0x80000000) >>> 0);
    for (const label of node.children.keys()) units.set(base ^ label, label);
    for (const [label, child] of node.children) place(child, base ^ label);
  };
  place(root, 0);
  const array = new Uint32Array((Math.max(...units.keys()) | 0xff) + 1);
  for (const [at, unit] of units) array[at] = unit;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(array.byteLength);
  return Buffer.concat([size, Buffer.from(array.buffer), ...replacements]).toString('base64');
}
