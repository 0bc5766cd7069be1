/** The forward pass, once for all kernels: a kernel includes its lanes, its products and this file. */
#pragma once
#include "attention.h"
#include "linear.h"
#include "rows.h"

namespace embedmill::KERNEL {

/** Queries, keys and values of all rows, one head at a time, so that a head's floats stay in the cache; then its
 * attention. */
template <int headSize>
static void attentionOfAllHeads(const Model &model, const Layer &layer, Scratch &scratch, const int32_t *lengths,
                                int texts, int rows) {
  constexpr int panels = 3 * headSize / LANES;
  const size_t panelStride = size_t(rows) * LANES;
  for (int head = 0; head < model.heads; head++) {
    {
      const Timer timer(scratch, QKV);
      linear(layer.qkv, head * panels, panels, (const Byte *)scratch.bytes, rows, scratch.scale, scratch.zero,
             [&](int row, int panel, Floats v) INLINE_LAMBDA {
               store(scratch.head + (panel - head * panels) * panelStride + size_t(row) * LANES, v);
             });
    }
    for (int text = 0, row = 0; text < texts; row += lengths[text++])
      attention<headSize>(scratch, scratch.head + size_t(row) * LANES, panelStride, lengths[text],
                          scratch.context + size_t(row) * model.width + head * headSize, model.width);
  }
}

/** Everything behind attention, for a few rows; `factors` are those of the next layer, null behind the last one. */
static void feedForward(const Model &model, const Layer &layer, Scratch &scratch, int first, int rows,
                        const float *factors) {
  const int width = model.width, inner = layer.narrow.paddedInputs;
  float *stream = scratch.stream + size_t(first) * width, *scale = scratch.scale + first, *zero = scratch.zero + first;
  Byte *bytes = (Byte *)scratch.bytes + size_t(first) * width, *wideBytes = (Byte *)scratch.wideBytes;
  const auto addToStream = [&](int row, int panel, Floats v) INLINE_LAMBDA {
    float *x = stream + size_t(row) * width + panel * LANES;
    store(x, add(load(x), v));
  };
  {
    const Timer timer(scratch, ROWS);
    for (int i = 0; i < rows; i++)
      quantiseRow(scratch.context + size_t(first + i) * width, width, bytes + size_t(i) * width, scale[i], zero[i]);
  }
  {
    const Timer timer(scratch, MIX);
    linear(layer.mix, 0, layer.mix.columns / LANES, bytes, rows, scale, zero, addToStream);
  }
  {
    const Timer timer(scratch, ROWS);
    for (int i = 0; i < rows; i++)
      normalise(stream + size_t(i) * width, width, model.epsilon, layer.attentionNorm, layer.wideFactors,
                bytes + size_t(i) * width, scale + i, zero + i);
  }
  {
    const Timer timer(scratch, WIDE);
    linear(layer.wide, 0, layer.wide.columns / LANES, bytes, rows, scale, zero,
           [&](int row, int panel, Floats v) INLINE_LAMBDA {
             store(scratch.wide + size_t(row) * inner + panel * LANES,
                   mul(gelu(v), load(layer.narrowFactors + panel * LANES)));
           });
  }
  {
    const Timer timer(scratch, ROWS);
    for (int i = 0; i < rows; i++)
      quantiseRow(scratch.wide + size_t(i) * inner, model.inner, wideBytes + size_t(i) * inner, scratch.wideScale[i],
                  scratch.wideZero[i]);
  }
  {
    const Timer timer(scratch, NARROW);
    linear(layer.narrow, 0, layer.narrow.columns / LANES, wideBytes, rows, scratch.wideScale, scratch.wideZero,
           addToStream);
  }
  const Timer timer(scratch, ROWS);
  for (int i = 0; i < rows; i++)
    normalise(stream + size_t(i) * width, width, model.epsilon, layer.outputNorm, factors, bytes + size_t(i) * width,
              scale + i, zero + i);
}

void forward(const Model &model, Scratch &scratch, const int32_t *ids, const int32_t *lengths, int texts, float *out) {
  [[maybe_unused]] const Session session;
  const int width = model.width;
  int rows = 0;
  {
    const Timer timer(scratch, EMBED);
    for (int text = 0; text < texts; text++)
      for (int i = 0; i < lengths[text]; i++, rows++) {
        float *x = scratch.stream + size_t(rows) * width;
        embedToken(model, ids[rows], i, x);
        normalise(x, width, model.epsilon, model.embeddingNorm, model.layers[0].attentionFactors,
                  (Byte *)scratch.bytes + size_t(rows) * width, scratch.scale + rows, scratch.zero + rows);
      }
  }
  for (int l = 0; l < model.layerCount; l++) {
    const Layer &layer = model.layers[l];
    if (model.headSize == 64)
      attentionOfAllHeads<64>(model, layer, scratch, lengths, texts, rows);
    else
      attentionOfAllHeads<32>(model, layer, scratch, lengths, texts, rows);
    const float *factors = l + 1 < model.layerCount ? model.layers[l + 1].attentionFactors : nullptr;
    for (int first = 0; first < rows; first += CHUNK_ROWS)
      feedForward(model, layer, scratch, first, smaller(rows - first, CHUNK_ROWS), factors);
  }
  const float *x = scratch.stream;
  for (int text = 0; text < texts; x += size_t(lengths[text++]) * width)
    pool(model, x, lengths[text], out + size_t(text) * width);
}

}  // namespace embedmill::KERNEL
