/** Loads a packed weight file, whose layout model.h describes. */
#include "model.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>

namespace embedmill {
namespace {

/** Throws; a build without exceptions (WebAssembly) ends with the message. */
template <class Error>
[[noreturn]] void raise(const Error &error) {
#if defined(__cpp_exceptions)
  throw error;
#else
  std::fprintf(stderr, "%s\n", error.what());
  std::exit(2);
#endif
}

constexpr size_t HEADER_BYTES = 64;
constexpr size_t SECTION_BYTES = 64;
constexpr char MAGIC[] = "emexact1";

struct Header {
  char magic[8];
  uint32_t layers, width, heads, inner, vocabulary, positions, pooling;
  float epsilon;
  uint8_t zeros[20];
  uint32_t checksum;
};
static_assert(sizeof(Header) == HEADER_BYTES);

[[noreturn]] void refuse(const std::string &path, const std::string &why) {
  raise(ModelError("\"" + path + "\" is not a weight file of the exact engine: " + why));
}

void checkHeader(const std::string &path, const Header &header) {
  const auto within = [&](const char *name, uint32_t value, uint32_t min, uint32_t max, uint32_t multiple) {
    if (value < min || value > max || value % multiple != 0)
      refuse(path, std::string(name) + " is " + std::to_string(value) + ", expected a multiple of " +
                       std::to_string(multiple) + " from " + std::to_string(min) + " to " + std::to_string(max));
  };
  if (std::memcmp(header.magic, MAGIC, sizeof header.magic) != 0) refuse(path, "it does not start with \"emexact1\"");
  within("layers", header.layers, 1, 64, 1);
  within("width", header.width, 64, MAX_WIDTH, 64);
  within("heads", header.heads, 1, MAX_WIDTH / 32, 1);
  within("inner", header.inner, 16, MAX_INNER, 16);
  within("vocabulary", header.vocabulary, 1, 1 << 22, 1);
  within("positions", header.positions, 1, MAX_POSITIONS, 1);
  within("pooling", header.pooling, 0, 1, 1);
  if (header.heads * 32 != header.width && header.heads * 64 != header.width)
    refuse(path, std::to_string(header.heads) + " heads of a width of " + std::to_string(header.width) +
                     ", expected heads of 32 or 64");
  if (!(header.epsilon >= 1e-20f && header.epsilon <= 1)) refuse(path, "epsilon is not between 1e-20 and 1");
}

/** Hands out the sections of the body one after the other; without a body it only measures them. */
class Sections {
 public:
  explicit Sections(const uint8_t *body) : body(body) {}

  template <class T>
  const T *take(size_t count) {
    const size_t start = size;
    size += roundUp(count * sizeof(T), SECTION_BYTES);
    return body ? reinterpret_cast<const T *>(body + start) : nullptr;
  }
  const float *floats(size_t count) {
    const float *section = take<float>(count);
    floatSections.push_back({section, count});
    return section;
  }
  Norm norm(int width) {
    const float *gain = floats(width);
    return {gain, floats(width)};
  }
  Dense dense(int inputs, int columns) {
    Dense dense{};
    dense.inputs = inputs;
    dense.columns = columns;
    dense.paddedInputs = int(roundUp(inputs, 64));
    dense.weights = take<int8_t>(size_t(dense.paddedInputs) * columns);
    dense.scale = floats(columns);
    dense.bias = floats(columns);
    return dense;
  }
  struct FloatSection {
    const float *values;
    size_t count;
  };
  std::vector<FloatSection> floatSections;
  /** Bytes handed out. */
  size_t size = 0;

 private:
  const uint8_t *body;
};

/** Sets the pointers of `model` into this body. */
Sections placeSections(Model &model, const uint8_t *body) {
  Sections sections(body);
  const int width = model.width;
  model.words = sections.take<int8_t>(size_t(model.vocabulary) * width);
  model.wordScales = sections.floats(model.vocabulary);
  model.positionVectors = sections.floats(size_t(model.positions) * width);
  model.embeddingNorm = sections.norm(width);
  model.layers.resize(model.layerCount);
  for (Layer &layer : model.layers) {
    layer.attentionFactors = sections.floats(width);
    layer.qkv = sections.dense(width, 3 * width);
    layer.mix = sections.dense(width, width);
    layer.attentionNorm = sections.norm(width);
    layer.wideFactors = sections.floats(width);
    layer.wide = sections.dense(width, model.inner);
    layer.narrowFactors = sections.floats(model.inner);
    layer.narrow = sections.dense(model.inner, width);
    layer.outputNorm = sections.norm(width);
  }
  return sections;
}

/** Sums the integers of every column; they are derived, so the file cannot contradict its weights. */
void addColumnSums(Model &model) {
  size_t count = 0;
  for (const Layer &layer : model.layers)
    count += size_t(layer.qkv.columns) + layer.mix.columns + layer.wide.columns + layer.narrow.columns;
  model.sums = AlignedBytes(count * sizeof(float));
  float *next = reinterpret_cast<float *>(model.sums.data());
  for (Layer &layer : model.layers) {
    for (Dense *dense : {&layer.qkv, &layer.mix, &layer.wide, &layer.narrow}) {
      dense->columnSums = next;
      for (int column = 0; column < dense->columns; column += LANES, next += LANES) {
        const int8_t *panel = dense->weights + size_t(column / LANES) * dense->panelBytes();
        int32_t sums[LANES] = {};
        for (int k = 0; k < dense->paddedInputs; k += 4, panel += 4 * LANES)
          for (int i = 0; i < 4 * LANES; i++) sums[i / 4] += panel[i];
        for (int i = 0; i < LANES; i++) next[i] = float(sums[i]);
      }
    }
  }
}

}  // namespace

AlignedBytes::AlignedBytes(size_t size) {
  const size_t padded = roundUp(size, 64);
#if defined(_WIN32)
  auto *memory = static_cast<uint8_t *>(_aligned_malloc(padded, 64));
#else
  auto *memory = static_cast<uint8_t *>(std::aligned_alloc(64, padded));
#endif
  if (!memory) raise(std::bad_alloc());
  std::memset(memory, 0, padded);
  bytes.reset(memory);
}

void AlignedBytes::Free::operator()(uint8_t *memory) const {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

uint32_t crc32(const uint8_t *bytes, size_t size, uint32_t crc) {
  // Eight bytes a step: table[n][b] is the CRC of byte b followed by n zeros.
  static const auto table = [] {
    std::array<std::array<uint32_t, 256>, 8> t{};
    for (uint32_t b = 0; b < 256; b++) {
      uint32_t value = b;
      for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
      t[0][b] = value;
    }
    for (int n = 1; n < 8; n++)
      for (int b = 0; b < 256; b++) t[n][b] = t[n - 1][b] >> 8 ^ t[0][t[n - 1][b] & 255];
    return t;
  }();
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    uint32_t low, high;
    std::memcpy(&low, bytes, 4);
    std::memcpy(&high, bytes + 4, 4);
    low ^= crc;
    crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
          table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
  }
  for (; size > 0; size--, bytes++) crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 255];
  return ~crc;
}

std::shared_ptr<const Model> loadModel(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) raise(ModelError("cannot read the weights \"" + path + "\""));
  const std::streamoff end = file.tellg();
  file.seekg(0);
  if (end < std::streamoff(HEADER_BYTES))
    refuse(path, "it has " + std::to_string(end) + " bytes, expected at least " + std::to_string(HEADER_BYTES));
  const size_t size = size_t(end);

  Header header;
  if (!file.read(reinterpret_cast<char *>(&header), sizeof header)) refuse(path, "reading its header failed");
  checkHeader(path, header);

  auto model = std::make_shared<Model>();
  model->layerCount = int(header.layers);
  model->width = int(header.width);
  model->heads = int(header.heads);
  model->headSize = model->width / model->heads;
  model->inner = int(header.inner);
  model->vocabulary = int(header.vocabulary);
  model->positions = int(header.positions);
  model->pooling = Pooling(header.pooling);
  model->epsilon = header.epsilon;
  model->checksum = header.checksum;

  const size_t expected = HEADER_BYTES + placeSections(*model, nullptr).size;
  if (size != expected)
    refuse(path, "it has " + std::to_string(size) + " bytes, its header asks for " + std::to_string(expected));
  model->file = AlignedBytes(size);
  uint8_t *bytes = model->file.data();
  std::memcpy(bytes, &header, sizeof header);
  if (!file.read(reinterpret_cast<char *>(bytes + HEADER_BYTES), std::streamsize(size - HEADER_BYTES)))
    refuse(path, "it ended while it was read");

  const size_t covered = offsetof(Header, checksum);
  const uint32_t checksum = crc32(bytes + HEADER_BYTES, size - HEADER_BYTES, crc32(bytes, covered));
  if (checksum != header.checksum) refuse(path, "its checksum does not match: the file is damaged");

  for (const auto &[values, count] : placeSections(*model, bytes + HEADER_BYTES).floatSections)
    for (size_t i = 0; i < count; i++)
      if (!(std::fabs(values[i]) <= MAX_MAGNITUDE))
        refuse(path, "it holds the float " + std::to_string(values[i]) + ", expected magnitudes up to 1,024");
  addColumnSums(*model);
  return model;
}

}  // namespace embedmill
