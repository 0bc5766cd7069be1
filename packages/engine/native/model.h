/**
 * The weights of a model in memory: loading and validation of the packed weight file.
 *
 * File, little-endian, written by src/weights/pack.ts:
 *   header, 64 bytes   magic "emexact1"; u32 layers, width, heads, inner, vocabulary, positions, pooling (0 mean, 1
 * CLS); f32 epsilon of LayerNorm; zeros up to byte 60; u32 CRC-32 of the header's first 60 bytes and the body body
 * sections in a fixed order, each padded with zeros to a multiple of 64 bytes: words            i8 [vocabulary][width],
 * f32 scale [vocabulary] positions        f32 [positions][width]; the vector of token type 0 is added to each embedding
 * norm   f32 gain [width], f32 bias [width] each layer       f32 attentionFactors [width]; qkv; mix; f32 gain, bias
 * [width]; f32 wideFactors [width]; wide; f32 narrowFactors [inner]; narrow; f32 gain, bias [width] a linear layer i8
 * weights in panels of 16 columns: [column / 16][k / 4][column % 16][k % 4], k padded with zeros to a multiple of 64;
 * f32 scale [columns], f32 bias [columns]
 *
 * A panel is what one vector instruction, four NEON registers or one AMX tile multiplies, so every kernel reads this
 * one layout. The columns of `qkv` are grouped by head: [head][query, key, value][head size]. Every size follows from
 * the header; the file holds no offset that could point outside.
 */
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace embedmill {

constexpr size_t roundUp(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/** Columns of a panel: lanes of the arithmetic. */
constexpr int LANES = 16;

/**
 * Maximum positions of a text: sums of 15-bit probabilities times 7-bit values stay in int32 up to here
 * (32,767 x 127 x 512 < 2^31), and so do all sums of a linear layer (255 x 127 x MAX_INNER < 2^30).
 */
constexpr int MAX_POSITIONS = 512;
constexpr int MAX_WIDTH = 4096;
constexpr int MAX_INNER = 16384;

/** Maximum magnitude of a float in the file: with it no step of the arithmetic can reach a NaN. */
constexpr float MAX_MAGNITUDE = 1024;

/** 64-byte aligned memory that starts as zeros. */
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size);
  uint8_t *data() const { return bytes.get(); }

 private:
  struct Free {
    void operator()(uint8_t *bytes) const;
  };
  std::unique_ptr<uint8_t[], Free> bytes;
};

/** Why a weight file was refused; the message names the file. */
struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** A linear layer: output[n] = sum over k of input[k] * weights[k][n] * scale[n] + bias[n]. */
struct Dense {
  int inputs, columns;
  /** `inputs` rounded up to 64: rows of a panel. */
  int paddedInputs;
  const int8_t *weights;
  const float *scale, *bias;
  /** Sum of the integers of each column, for the zero point of the input. */
  const float *columnSums;

  size_t panelBytes() const { return size_t(paddedInputs) * LANES; }
};

struct Norm {
  const float *gain, *bias;
};

struct Layer {
  /** Factors per input channel of qkv, wide and narrow: the inverse of SmoothQuant's factors. */
  const float *attentionFactors, *wideFactors, *narrowFactors;
  Dense qkv, mix, wide, narrow;
  Norm attentionNorm, outputNorm;
};

enum class Pooling : uint32_t { mean = 0, cls = 1 };

struct Model {
  int layerCount, width, heads, headSize, inner, vocabulary, positions;
  Pooling pooling;
  float epsilon;
  const int8_t *words;
  const float *wordScales, *positionVectors;
  Norm embeddingNorm;
  std::vector<Layer> layers;
  uint32_t checksum;

  AlignedBytes file, sums;
};

/** Reads and validates a weight file. Throws ModelError for a file that is not exactly what this header describes. */
std::shared_ptr<const Model> loadModel(const std::string &path);

/**
 * The same, but one copy per process: threads that open the same file, unchanged since, share the weights, which are
 * freed with their last user.
 */
std::shared_ptr<const Model> shareModel(const std::string &path);

/** CRC-32 (polynomial 0xEDB88320, as zlib), continued from `crc`. */
uint32_t crc32(const uint8_t *bytes, size_t size, uint32_t crc = 0);

}  // namespace embedmill
