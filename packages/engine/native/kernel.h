/** What a kernel is: the forward pass compiled for one instruction set. All kernels give the same bytes (arithmetic.h).
 */
#pragma once
#include "model.h"

namespace embedmill {

/** Rows of the feed-forward layers that are computed together: their intermediate floats stay in the L2 cache. */
constexpr int CHUNK_ROWS = 32;
/** Queries of one head that are computed together. */
constexpr int QUERY_ROWS = 32;
/** Rows behind the last one that a kernel may read (never use): the height of an AMX block. */
constexpr int SLACK_ROWS = 32;
/** Maximum tokens of a pack. */
constexpr int MAX_PACK_TOKENS = 4096;

/** Stages of a forward pass, for the profile of a build with EMBEDMILL_PROFILE. */
enum Stage { EMBED, QKV, PACK, SCORES, SOFTMAX, WEIGH, MIX, WIDE, NARROW, ROWS, STAGES };

/**
 * Intermediate values of one step, which the thread that runs it owns. Integers ("bytes") take one or two bytes each,
 * as the kernel likes; memory is for two. Everything starts as zeros, and padding is never written.
 */
struct Workspace {
  /** Memory for packs of up to `rows` tokens. */
  Workspace(const Model &model, int rows);

  /** Query, key and value of one head, [panel][row][16]. */
  float *head;
  /** Behind GELU, [row of a chunk][padded inner]. */
  float *wide;
  /** Quantised input of the last linear layer, with its scale and zero point per row. */
  void *wideBytes;
  float *wideScale, *wideZero;
  /** Attention of one head of one text; see attention.h. */
  void *queries;
  int8_t *keyRows, *keys, *values;
  int32_t *keyOffsets, *scores;
  uint8_t *probabilities;
  /** Seconds per stage; only filled by a build with EMBEDMILL_PROFILE. */
  double profile[STAGES] = {};

 private:
  AlignedBytes memory;
};

/** A part of a forward pass that is independent of all others of its count. */
using Step = void(void *context, int index, Workspace &workspace);

/** Runs steps on several threads; helpers.h implements it. */
class Steps {
 public:
  /** Calls step(context, 0, ...) to step(context, count - 1, ...), each once; returns when all have returned. */
  virtual void each(int count, Step *step, void *context) = 0;
  /** Maximum threads that run steps. */
  virtual int threads() const = 0;

 protected:
  ~Steps() = default;
};

/** Intermediate values of a forward pass. Steps read all of them and write only rows, or columns, of their own. */
struct Scratch {
  /** Memory for packs of up to `rows` tokens. */
  Scratch(const Model &model, int rows);

  int rows;
  /** Residual stream and output of attention, [row][width]. */
  float *stream, *context;
  /** Quantised input of a linear layer, with its scale and zero point per row. */
  void *bytes;
  float *scale, *zero;
  /** For the steps of the calling thread. */
  Workspace own;
  /** Runs the steps; null: the calling thread does. */
  Steps *steps = nullptr;

 private:
  AlignedBytes memory;
};

/**
 * Embeds `texts` texts, whose ids lie one after the other in `ids`, with `lengths[i]` ids each; writes one unit vector
 * of `width` floats per text. The caller has validated ids and lengths.
 */
using Forward = void(const Model &, Scratch &, const int32_t *ids, const int32_t *lengths, int texts, float *out);

struct Kernel {
  const char *name;
  /** Whether this CPU and its operating system can run it. */
  bool (*available)();
  Forward *forward;
};

/** The kernels of this build, fastest first; the last one, `scalar`, runs everywhere. */
const std::vector<Kernel> &kernels();

/**
 * Runs a forward pass with the floating-point environment that the arithmetic needs (round to nearest, denormals
 * kept), and restores the caller's.
 */
void run(const Kernel &, const Model &, Scratch &, const int32_t *ids, const int32_t *lengths, int texts, float *out);

}  // namespace embedmill
