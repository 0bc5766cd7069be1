/** Writes the built-in model as a GGUF file in q8_0, for llama.cpp: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */

const ALIGNMENT = 32;
/** Numbers of the format for types of values and of tensors. */
const U32 = 4;
const I32 = 5;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const TENSOR_F32 = 0;
const TENSOR_Q8_0 = 8;

/**
 * @param {import('../../packages/embed/dist/compile/weights/bert-weights.js').BertWeights} weights
 * @param {Record<string, number>} vocabulary ids of the WordPiece tokens
 * @returns {Buffer}
 */
export function exportGguf({ config, words, positions, embeddingNorm, layers }, vocabulary) {
  const tokens = Object.keys(vocabulary).sort((a, b) => vocabulary[a] - vocabulary[b]);
  const isSpecial = (token) => /^\[.*\]$/.test(token);
  const id = (token) => [U32, vocabulary[token]];
  const values = {
    'general.architecture': [STRING, 'bert'],
    'bert.block_count': [U32, config.num_hidden_layers],
    'bert.context_length': [U32, config.max_position_embeddings],
    'bert.embedding_length': [U32, config.hidden_size],
    'bert.feed_forward_length': [U32, config.intermediate_size],
    'bert.attention.head_count': [U32, config.num_attention_heads],
    'bert.attention.layer_norm_epsilon': [F32, config.layer_norm_eps],
    'bert.attention.causal': [BOOL, false],
    'bert.pooling_type': [U32, 1],
    'tokenizer.ggml.model': [STRING, 'bert'],
    'tokenizer.ggml.pre': [STRING, 'default'],
    'tokenizer.ggml.token_type_count': [U32, 2],
    // Words start with U+2581, and the other pieces lose their ##.
    'tokenizer.ggml.tokens': [
      ARRAY,
      STRING,
      tokens.map((token) => (isSpecial(token) ? token : `\u2581${token}`.replace(/^\u2581##/, ''))),
    ],
    'tokenizer.ggml.token_type': [ARRAY, I32, tokens.map((token) => (isSpecial(token) ? 3 : 1))],
    'tokenizer.ggml.bos_token_id': id('[CLS]'),
    'tokenizer.ggml.cls_token_id': id('[CLS]'),
    'tokenizer.ggml.seperator_token_id': id('[SEP]'),
    'tokenizer.ggml.padding_token_id': id('[PAD]'),
    'tokenizer.ggml.unknown_token_id': id('[UNK]'),
    'tokenizer.ggml.mask_token_id': id('[MASK]'),
  };
  const tensors = [];
  const floats = (name, data, shape = [data.length]) =>
    tensors.push({
      name,
      shape,
      type: TENSOR_F32,
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    });
  const norm = (name, { gain, bias }) => {
    floats(`${name}.weight`, gain);
    floats(`${name}.bias`, bias);
  };
  const dense = (name, { inputs, outputs, weight, bias }) => {
    const rows = weight.map((_, i) => weight[(i % inputs) * outputs + Math.floor(i / inputs)]);
    tensors.push({
      name: `${name}.weight`,
      shape: [inputs, outputs],
      type: TENSOR_Q8_0,
      data: quantiseQ8(rows),
    });
    floats(`${name}.bias`, bias);
  };
  const shape = (rows) => [config.hidden_size, rows];
  tensors.push({
    name: 'token_embd.weight',
    shape: shape(config.vocab_size),
    type: TENSOR_Q8_0,
    data: quantiseQ8(words.values),
  });
  floats('position_embd.weight', positions.values, shape(config.max_position_embeddings));
  // The positions have the vector of type 0 in them.
  floats('token_types.weight', new Float32Array(2 * config.hidden_size), shape(2));
  norm('token_embd_norm', embeddingNorm);
  layers.forEach((layer, i) => {
    dense(`blk.${i}.attn_q`, layer.query);
    dense(`blk.${i}.attn_k`, layer.key);
    dense(`blk.${i}.attn_v`, layer.value);
    dense(`blk.${i}.attn_output`, layer.attentionOutput);
    norm(`blk.${i}.attn_output_norm`, layer.attentionNorm);
    dense(`blk.${i}.ffn_up`, layer.intermediate);
    dense(`blk.${i}.ffn_down`, layer.output);
    norm(`blk.${i}.layer_output_norm`, layer.outputNorm);
  });
  return file(values, tensors);
}

function file(values, tensors) {
  const entries = Object.entries(values);
  const parts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)];
  for (const [key, [type, ...rest]] of entries) parts.push(string(key), u32(type), ...encode(type, rest));
  let offset = 0;
  for (const { name, shape, type, data } of tensors) {
    parts.push(string(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
    offset += data.length + padding(data.length).length;
  }
  parts.push(padding(parts.reduce((sum, part) => sum + part.length, 0)));
  for (const { data } of tensors) parts.push(data, padding(data.length));
  return Buffer.concat(parts);
}

function encode(type, [first, list]) {
  if (type === STRING) return [string(first)];
  if (type === BOOL) return [Buffer.from([Number(first)])];
  if (type === F32) return [Buffer.from(Float32Array.of(first).buffer)];
  if (type === ARRAY)
    return [u32(first), u64(list.length), ...list.flatMap((value) => encode(first, [value]))];
  return [u32(first)];
}

function u32(value) {
  return Buffer.from(Uint32Array.of(value).buffer);
}

function u64(value) {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
}

function string(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function padding(size) {
  return Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT);
}

/** Blocks of 32 values: a scale in half precision, then 32 signed bytes. */
function quantiseQ8(values) {
  const out = Buffer.alloc((values.length / 32) * 34);
  for (let block = 0; block < values.length / 32; block++) {
    const some = values.subarray(32 * block, 32 * block + 32);
    const scale = some.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
    out.writeUInt16LE(toHalf(scale), 34 * block);
    some.forEach((value, i) => {
      out.writeInt8(scale === 0 ? 0 : Math.round(value / scale), 34 * block + 2 + i);
    });
  }
  return out;
}

/** A positive number in half precision; also below its smallest normal number. */
function toHalf(value) {
  const exponent = Math.max(Math.floor(Math.log2(value || 2 ** -24)), -14);
  const fraction = Math.round((value / 2 ** exponent) * 1024);
  return value < 2 ** -14 ? fraction : ((exponent + 14) << 10) + fraction;
}
