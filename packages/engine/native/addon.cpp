/**
 * The Node-API addon: models and packs of token ids in, vectors out; vocabularies and texts in, token ids out.
 *
 * It is context-aware: every thread of Node has its own handles and scratch memory, while the weights behind them are
 * shared by the process. Everything that JavaScript gives is checked here, after it was copied: another thread may
 * write to a shared array at any time.
 */
#include <node_api.h>

#include <algorithm>
#include <cstring>

#include "helpers.h"
#include "kernel.h"
#include "static.h"
#include "validate.h"
#include "wordpiece.h"

using namespace embedmill;

namespace {

constexpr napi_type_tag HANDLE_TAG = {0x656d6265646d696cULL, 0x6c656e67696e6531ULL};
constexpr napi_type_tag TOKENIZER_TAG = {0x656d6265646d696cULL, 0x6c776f7264706331ULL};

constexpr int MAX_THREADS = 4096;

constexpr uint32_t MAX_WORD_CHARACTERS = 10'000;

/** Memory for texts, in UTF-16 units: what a tokenizer starts with, and the maximum that it keeps. */
constexpr size_t KEPT_UNITS = 4096, MAX_KEPT_UNITS = 1 << 16;

/** An error that JavaScript gets with a `code` of errors.ts. */
struct CodedError : std::runtime_error {
  CodedError(const char *code, const std::string &message) : std::runtime_error(message), code(code) {}
  const char *code;
};

[[noreturn]] void badInput(const std::string &message) { throw CodedError("input-invalid", message); }

/** Node-API calls fail only for values of the wrong type, or when the environment is shutting down. */
void check(napi_status status, const char *what) {
  if (status != napi_ok) badInput(what);
}

/** A model as one thread uses it. */
struct Handle {
  std::shared_ptr<const Model> model;
  const Kernel *kernel;
  std::unique_ptr<Scratch> scratch;
  /** Null if this process may keep only one thread busy. */
  std::unique_ptr<HelpedRuns> runs;
  std::vector<int32_t> ids, lengths;
};

/** A tokenizer of one thread, with its memory for texts. */
struct Tokenizer {
  WordPiece wordPiece;
  std::vector<char16_t> text = std::vector<char16_t>(KEPT_UNITS);
};

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    size_t count = MAX;
    check(napi_get_cb_info(env, info, &count, values, nullptr, nullptr), "cannot read the arguments");
  }

  Handle &handle(size_t index) const {
    Handle &handle = *static_cast<Handle *>(wrapped(index, HANDLE_TAG, "expected a model"));
    if (!handle.model) badInput("the model is closed");
    return handle;
  }

  Tokenizer &tokenizer(size_t index) const {
    return *static_cast<Tokenizer *>(wrapped(index, TOKENIZER_TAG, "expected a tokenizer"));
  }

  std::string string(size_t index) const {
    size_t length = 0;
    check(napi_get_value_string_utf8(env, values[index], nullptr, 0, &length), "expected a string");
    std::string text(length, '\0');
    check(napi_get_value_string_utf8(env, values[index], text.data(), length + 1, &length), "expected a string");
    return text;
  }

  /** The UTF-16 units of a string, in a buffer that grows; returns their number. */
  size_t utf16(size_t index, std::vector<char16_t> &buffer) const {
    size_t length = 0;
    // One call suffices for all but the longest texts: a full buffer may hold only a part.
    check(napi_get_value_string_utf16(env, values[index], buffer.data(), buffer.size(), &length), "expected a string");
    if (length + 1 < buffer.size()) return length;
    check(napi_get_value_string_utf16(env, values[index], nullptr, 0, &length), "expected a string");
    buffer.resize(length + 2);
    check(napi_get_value_string_utf16(env, values[index], buffer.data(), buffer.size(), &length), "expected a string");
    return length;
  }

  /** The elements of a typed array; valid until JavaScript runs again. */
  template <class T>
  std::pair<T *, size_t> array(size_t index, napi_typedarray_type expected, const char *message) const {
    bool matches = false;
    napi_typedarray_type type{};
    size_t length = 0;
    void *data = nullptr;
    if (napi_is_typedarray(env, values[index], &matches) != napi_ok || !matches ||
        napi_get_typedarray_info(env, values[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != expected)
      badInput(message);
    return {static_cast<T *>(data), data ? length : 0};
  }

  bool boolean(size_t index) const {
    bool value = false;
    check(napi_get_value_bool(env, values[index], &value), "expected a boolean");
    return value;
  }

  int64_t integer(size_t index) const {
    int64_t value = 0;
    check(napi_get_value_int64(env, values[index], &value), "expected an integer");
    return value;
  }

 private:
  void *wrapped(size_t index, const napi_type_tag &tag, const char *message) const {
    bool matches = false;
    void *data = nullptr;
    if (napi_check_object_type_tag(env, values[index], &tag, &matches) != napi_ok || !matches ||
        napi_unwrap(env, values[index], &data) != napi_ok)
      badInput(message);
    return data;
  }

  static constexpr size_t MAX = 6;
  napi_env env;
  napi_value values[MAX];
};

napi_value number(napi_env env, double value) {
  napi_value result;
  check(napi_create_double(env, value, &result), "cannot create a number");
  return result;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
  check(napi_set_named_property(env, object, name, value), "cannot set a property");
}

napi_value text(napi_env env, const char *value) {
  napi_value result;
  check(napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result), "cannot create a string");
  return result;
}

/** kernels(): { name, available }[], fastest first. */
napi_value listKernels(napi_env env, napi_callback_info) {
  napi_value list;
  check(napi_create_array(env, &list), "cannot create an array");
  uint32_t index = 0;
  for (const Kernel &kernel : kernels()) {
    napi_value entry, available;
    check(napi_create_object(env, &entry), "cannot create an object");
    check(napi_get_boolean(env, kernel.available(), &available), "cannot create a boolean");
    set(env, entry, "name", text(env, kernel.name));
    set(env, entry, "available", available);
    check(napi_set_element(env, list, index++, entry), "cannot set an element");
  }
  return list;
}

const Kernel *findKernel(const std::string &name) {
  for (const Kernel &kernel : kernels())
    if (name == kernel.name && kernel.available()) return &kernel;
  throw CodedError("kernel-unavailable", "this machine cannot run the kernel \"" + name + "\"");
}

/**
 * open(path, kernel, threads): a handle with the shape of the model. `threads` is the maximum that the process may keep
 * busy with runs.
 */
napi_value open(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto handle = std::make_unique<Handle>();
  handle->kernel = findKernel(arguments.string(1));
  const int64_t threads = arguments.integer(2);
  if (threads < 1 || threads > MAX_THREADS)
    badInput("expected 1 to " + std::to_string(MAX_THREADS) + " threads, got " + std::to_string(threads));
  handle->model = shareModel(arguments.string(0));
  if (threads > 1) handle->runs = std::make_unique<HelpedRuns>(Helpers::shared(int(threads)));
  const Model &model = *handle->model;

  napi_value object;
  check(napi_create_object(env, &object), "cannot create an object");
  set(env, object, "dim", number(env, model.width));
  set(env, object, "layers", number(env, model.layerCount));
  set(env, object, "vocabulary", number(env, model.vocabulary));
  set(env, object, "maxTokens", number(env, model.positions));
  set(env, object, "checksum", number(env, model.checksum));
  const auto finalize = [](napi_env, void *data, void *) { delete static_cast<Handle *>(data); };
  check(napi_wrap(env, object, handle.get(), finalize, nullptr, nullptr), "cannot wrap a model");
  handle.release();
  check(napi_type_tag_object(env, object, &HANDLE_TAG), "cannot tag a model");
  return object;
}

/**
 * embed(handle, ids: Int32Array, lengths: Int32Array, target: Float32Array, offset, useIdleCores): the vectors are
 * those of one thread, byte for byte.
 */
napi_value embed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Handle &handle = arguments.handle(0);
  const Model &model = *handle.model;
  const auto [ids, idCount] = arguments.array<int32_t>(1, napi_int32_array, "expected the ids as an Int32Array");
  const auto [lengths, texts] = arguments.array<int32_t>(2, napi_int32_array, "expected the lengths as an Int32Array");
  const auto [target, space] = arguments.array<float>(3, napi_float32_array, "expected the target as a Float32Array");
  const int64_t offset = arguments.integer(4);
  const bool useIdleCores = arguments.boolean(5);

  if (texts > size_t(MAX_PACK_TOKENS)) badInput("the pack has more than " + std::to_string(MAX_PACK_TOKENS) + " texts");
  if (texts == 0) return nullptr;
  handle.lengths.assign(lengths, lengths + texts);
  handle.ids.assign(ids, ids + (idCount < size_t(MAX_PACK_TOKENS) ? idCount : size_t(MAX_PACK_TOKENS)));
  const std::string problem =
      findProblem(model, handle.ids.data(), handle.ids.size(), handle.lengths.data(), int(texts));
  if (!problem.empty()) badInput(problem);
  const size_t needed = texts * size_t(model.width);
  if (offset < 0 || size_t(offset) > space || space - size_t(offset) < needed)
    badInput(std::to_string(needed) + " floats at " + std::to_string(offset) + " do not fit into a target of " +
             std::to_string(space));

  int tokens = 0;
  for (const int32_t length : handle.lengths) tokens += length;
  if (!handle.scratch || handle.scratch->rows < tokens)
    handle.scratch = std::make_unique<Scratch>(model, int(roundUp(size_t(tokens), 64)));
  if (handle.runs) handle.runs->begin(model, *handle.scratch, useIdleCores);
  run(*handle.kernel, model, *handle.scratch, handle.ids.data(), handle.lengths.data(), int(texts), target + offset);
  if (handle.runs) handle.runs->end();
  return nullptr;
}

/** close(handle): gives up the weights and the scratch memory before the handle is collected. */
napi_value close(napi_env env, napi_callback_info info) {
  Handle &handle = Arguments(env, info).handle(0);
  handle.model.reset();
  handle.scratch.reset();
  handle.runs.reset();
  return nullptr;
}

/** The tokens `first` to `last` of a vocabulary whose texts lie one after the other. */
std::vector<VocabularyEntry> entriesOf(const std::vector<uint16_t> &units, const std::vector<int32_t> &ends,
                                       const std::vector<int32_t> &ids, size_t first, size_t last) {
  std::vector<VocabularyEntry> entries;
  int32_t start = first == 0 ? 0 : ends[first - 1];
  for (size_t i = first; i < last; start = ends[i++])
    entries.emplace_back(std::u16string(units.begin() + start, units.begin() + ends[i]), ids[i]);
  return entries;
}

/**
 * openTokenizer(units: Uint16Array, ends: Int32Array, ids: Int32Array, settings: Int32Array): a tokenizer.
 *
 * `settings`: lower case, strip accents, split ideographs, maximum characters of a word, id of unknown words, and the
 * number of tokens at the end that are found before normalization.
 */
napi_value openTokenizer(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto [unitData, unitCount] = arguments.array<uint16_t>(0, napi_uint16_array, "expected units as a Uint16Array");
  const auto [endData, endCount] = arguments.array<int32_t>(1, napi_int32_array, "expected ends as an Int32Array");
  const auto [idData, idCount] = arguments.array<int32_t>(2, napi_int32_array, "expected ids as an Int32Array");
  const auto [given, settingCount] =
      arguments.array<int32_t>(3, napi_int32_array, "expected settings as an Int32Array");
  if (settingCount != 6) badInput("expected 6 settings");
  const std::vector<uint16_t> units(unitData, unitData + unitCount);
  const std::vector<int32_t> ends(endData, endData + endCount), ids(idData, idData + idCount);
  const std::vector<int32_t> settings(given, given + settingCount);
  if (ids.size() != ends.size()) badInput("expected an id for each token");
  int32_t start = 0;
  for (const int32_t end : ends) {
    if (end <= start || size_t(end) > units.size())
      badInput("expected tokens with at least one unit, within the units");
    start = end;
  }
  for (const int32_t id : ids)
    if (id < 0) badInput("expected ids from 0 on");
  if (settings[3] < 1 || settings[3] > int32_t(MAX_WORD_CHARACTERS))
    badInput("expected words of 1 to " + std::to_string(MAX_WORD_CHARACTERS) + " characters");
  if (settings[5] < 0 || size_t(settings[5]) > ends.size()) badInput("expected added tokens within the vocabulary");

  const WordPieceOptions options{settings[0] != 0, settings[1] != 0, settings[2] != 0, uint32_t(settings[3]),
                                 settings[4]};
  const size_t first = ends.size() - size_t(settings[5]);
  auto tokenizer = std::make_unique<Tokenizer>(Tokenizer{WordPiece(options, entriesOf(units, ends, ids, 0, ends.size()),
                                                                   entriesOf(units, ends, ids, first, ends.size()))});
  napi_value object;
  check(napi_create_object(env, &object), "cannot create an object");
  const auto finalize = [](napi_env, void *data, void *) { delete static_cast<Tokenizer *>(data); };
  check(napi_wrap(env, object, tokenizer.get(), finalize, nullptr, nullptr), "cannot wrap a tokenizer");
  tokenizer.release();
  check(napi_type_tag_object(env, object, &TOKENIZER_TAG), "cannot tag a tokenizer");
  return object;
}

/** encode(tokenizer, text, target: Int32Array): number of ids; only those that fit are written. */
napi_value encode(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Tokenizer &tokenizer = arguments.tokenizer(0);
  const size_t length = arguments.utf16(1, tokenizer.text);
  const std::vector<int32_t> &ids = tokenizer.wordPiece.encode(tokenizer.text.data(), length);
  if (tokenizer.text.size() > MAX_KEPT_UNITS) tokenizer.text = std::vector<char16_t>(KEPT_UNITS);
  const auto [target, space] = arguments.array<int32_t>(2, napi_int32_array, "expected the target as an Int32Array");
  std::copy_n(ids.begin(), std::min(ids.size(), space), target);
  return number(env, double(ids.size()));
}

/**
 * embedStatic(rows: Float32Array, dim, ids: Int32Array, lengths: Int32Array, target: Float32Array, offset): index of
 * the first text without a finite vector, or -1. The texts after it are not computed.
 */
napi_value embedStatic(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto [rows, floats] = arguments.array<float>(0, napi_float32_array, "expected the rows as a Float32Array");
  const int64_t dim = arguments.integer(1);
  const auto [givenIds, idCount] = arguments.array<int32_t>(2, napi_int32_array, "expected the ids as an Int32Array");
  const auto [givenLengths, texts] =
      arguments.array<int32_t>(3, napi_int32_array, "expected the lengths as an Int32Array");
  const auto [target, space] = arguments.array<float>(4, napi_float32_array, "expected the target as a Float32Array");
  const int64_t offset = arguments.integer(5);

  if (dim < 1 || size_t(dim) > floats) badInput("expected rows of 1 to " + std::to_string(floats) + " dimensions");
  const std::vector<int32_t> ids(givenIds, givenIds + idCount), lengths(givenLengths, givenLengths + texts);
  const size_t rowCount = floats / size_t(dim);
  for (const int32_t id : ids)
    if (id < 0 || size_t(id) >= rowCount)
      badInput("token id " + std::to_string(id) + " is not in the table of " + std::to_string(rowCount) + " rows");
  size_t total = 0;
  for (const int32_t length : lengths) {
    if (length < 0 || size_t(length) > idCount - total) badInput("the lengths add up to more ids than there are");
    total += size_t(length);
  }
  if (offset < 0 || size_t(offset) > space || (space - size_t(offset)) / size_t(dim) < texts)
    badInput(std::to_string(texts) + " vectors at " + std::to_string(offset) + " do not fit into a target of " +
             std::to_string(space));

  std::vector<double> sum(static_cast<size_t>(dim));
  size_t first = 0;
  for (size_t text = 0; text < texts; first += size_t(lengths[text++]))
    if (!embedmill::embedStatic(rows, size_t(dim), ids.data() + first, size_t(lengths[text]), sum.data(),
                                target + size_t(offset) + text * size_t(dim)))
      return number(env, double(text));
  return number(env, -1);
}

/** No exception leaves the addon: each becomes one of JavaScript's, with a code. */
template <napi_value (*function)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return function(env, info);
  } catch (const CodedError &error) {
    napi_throw_error(env, error.code, error.what());
  } catch (const VocabularyError &error) {
    napi_throw_error(env, "weights-unsupported", error.what());
  } catch (const ModelError &error) {
    napi_throw_error(env, "weights-invalid", error.what());
  } catch (const std::bad_alloc &) {
    napi_throw_error(env, "weights-invalid", "not enough memory for the model");
  } catch (const std::exception &error) {
    napi_throw_error(env, "engine-unavailable", error.what());
  }
  return nullptr;
}

template <napi_value (*function)(napi_env, napi_callback_info)>
void add(napi_env env, napi_value exports, const char *name) {
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<function>, nullptr, &value) == napi_ok)
    napi_set_named_property(env, exports, name, value);
}

}  // namespace

NAPI_MODULE_INIT() {
  add<listKernels>(env, exports, "kernels");
  add<open>(env, exports, "open");
  add<embed>(env, exports, "embed");
  add<close>(env, exports, "close");
  add<openTokenizer>(env, exports, "openTokenizer");
  add<encode>(env, exports, "encode");
  add<embedStatic>(env, exports, "embedStatic");
  return exports;
}
