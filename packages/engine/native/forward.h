/** The forward pass, once for all kernels: a kernel includes its lanes, its products and this file. */
#pragma once
#include "attention.h"
#include "linear.h"
#include "rows.h"

namespace embedmill::KERNEL {

/** Calls f(index, workspace) for 0 to count - 1, on the threads that run the steps of this forward pass. */
template <class F>
static void eachStep(Scratch &scratch, int count, F &&f) {
  Step *const step = [](void *context, int index, Workspace &space) {
    [[maybe_unused]] const Session session;
    (*static_cast<std::remove_reference_t<F> *>(context))(index, space);
  };
  if (scratch.steps && count > 1) return scratch.steps->each(count, step, &f);
  for (int index = 0; index < count; index++) step(&f, index, scratch.own);
}

/** Queries, keys and values of one head for all rows, so that the head's floats stay in the cache; then its attention.
 */
template <int headSize>
static void attentionOfHead(const Model &model, const Layer &layer, const Scratch &scratch, Workspace &space,
                            const int32_t *lengths, int texts, int rows, int head) {
  constexpr int panels = 3 * headSize / LANES;
  const size_t panelStride = size_t(rows) * LANES;
  {
    const Timer timer(space, QKV);
    linear(layer.qkv, head * panels, panels, (const Byte *)scratch.bytes, rows, scratch.scale, scratch.zero,
           [&](int row, int panel, Floats v)
               INLINE_LAMBDA { store(space.head + (panel - head * panels) * panelStride + size_t(row) * LANES, v); });
  }
  for (int text = 0, row = 0; text < texts; row += lengths[text++])
    attention<headSize>(space, space.head + size_t(row) * LANES, panelStride, lengths[text],
                        scratch.context + size_t(row) * model.width + head * headSize, model.width);
}

/** Rows of a step of the feed-forward layers; with helpers, the steps are of nearly equal size and as many for each
 * thread.
 */
static int chunkRows(const Scratch &scratch, int rows) {
  if (!scratch.steps) return CHUNK_ROWS;
  const int chunks = roundedUp((rows + CHUNK_ROWS - 1) / CHUNK_ROWS, scratch.steps->threads());
  return roundedUp((rows + chunks - 1) / chunks, ROW_UNIT);
}

/** Everything behind attention, for a few rows; `factors` are those of the next layer, null behind the last one. */
static void feedForward(const Model &model, const Layer &layer, const Scratch &scratch, Workspace &space, int first,
                        int rows, const float *factors) {
  const int width = model.width, inner = layer.narrow.paddedInputs;
  float *stream = scratch.stream + size_t(first) * width, *scale = scratch.scale + first, *zero = scratch.zero + first;
  Byte *bytes = (Byte *)scratch.bytes + size_t(first) * width, *wideBytes = (Byte *)space.wideBytes;
  const auto addToStream = [&](int row, int panel, Floats v) INLINE_LAMBDA {
    float *x = stream + size_t(row) * width + panel * LANES;
    store(x, add(load(x), v));
  };
  {
    const Timer timer(space, ROWS);
    for (int i = 0; i < rows; i++)
      quantiseRow(scratch.context + size_t(first + i) * width, width, bytes + size_t(i) * width, scale[i], zero[i]);
  }
  {
    const Timer timer(space, MIX);
    linear(layer.mix, 0, layer.mix.columns / LANES, bytes, rows, scale, zero, addToStream);
  }
  {
    const Timer timer(space, ROWS);
    for (int i = 0; i < rows; i++)
      normalise(stream + size_t(i) * width, width, model.epsilon, layer.attentionNorm, layer.wideFactors,
                bytes + size_t(i) * width, scale + i, zero + i);
  }
  {
    const Timer timer(space, WIDE);
    linear(layer.wide, 0, layer.wide.columns / LANES, bytes, rows, scale, zero,
           [&](int row, int panel, Floats v) INLINE_LAMBDA {
             store(space.wide + size_t(row) * inner + panel * LANES,
                   mul(gelu(v), load(layer.narrowFactors + panel * LANES)));
           });
  }
  {
    const Timer timer(space, ROWS);
    for (int i = 0; i < rows; i++)
      quantiseRow(space.wide + size_t(i) * inner, model.inner, wideBytes + size_t(i) * inner, space.wideScale[i],
                  space.wideZero[i]);
  }
  {
    const Timer timer(space, NARROW);
    linear(layer.narrow, 0, layer.narrow.columns / LANES, wideBytes, rows, space.wideScale, space.wideZero,
           addToStream);
  }
  const Timer timer(space, ROWS);
  for (int i = 0; i < rows; i++)
    normalise(stream + size_t(i) * width, width, model.epsilon, layer.outputNorm, factors, bytes + size_t(i) * width,
              scale + i, zero + i);
}

void forward(const Model &model, Scratch &scratch, const int32_t *ids, const int32_t *lengths, int texts, float *out) {
  const int width = model.width;
  int rows = 0;
  {
    const Timer timer(scratch.own, EMBED);
    for (int text = 0; text < texts; text++)
      for (int i = 0; i < lengths[text]; i++, rows++) {
        float *x = scratch.stream + size_t(rows) * width;
        embedToken(model, ids[rows], i, x);
        normalise(x, width, model.epsilon, model.embeddingNorm, model.layers[0].attentionFactors,
                  (Byte *)scratch.bytes + size_t(rows) * width, scratch.scale + rows, scratch.zero + rows);
      }
  }
  const int chunk = chunkRows(scratch, rows);
  for (int l = 0; l < model.layerCount; l++) {
    const Layer &layer = model.layers[l];
    eachStep(scratch, model.heads, [&](int head, Workspace &space) {
      if (model.headSize == 64)
        attentionOfHead<64>(model, layer, scratch, space, lengths, texts, rows, head);
      else
        attentionOfHead<32>(model, layer, scratch, space, lengths, texts, rows, head);
    });
    const float *factors = l + 1 < model.layerCount ? model.layers[l + 1].attentionFactors : nullptr;
    eachStep(scratch, (rows + chunk - 1) / chunk, [&](int index, Workspace &space) {
      const int first = index * chunk;
      feedForward(model, layer, scratch, space, first, smaller(rows - first, chunk), factors);
    });
  }
  const float *x = scratch.stream;
  for (int text = 0; text < texts; x += size_t(lengths[text++]) * width)
    pool(model, x, lengths[text], out + size_t(text) * width);
}

}  // namespace embedmill::KERNEL
