/**
 * The Node-API addon: models and packs of token ids in, vectors out.
 *
 * It is context-aware: every thread of Node has its own handles and scratch memory, while the weights behind them are
 * shared by the process. Everything that JavaScript gives is checked here, after it was copied: another thread may
 * write to a shared array at any time.
 */
#include <node_api.h>

#include <cstring>

#include "kernel.h"
#include "validate.h"

using namespace embedmill;

namespace {

constexpr napi_type_tag HANDLE_TAG = {0x656d6265646d696cULL, 0x6c656e67696e6531ULL};

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
  std::vector<int32_t> ids, lengths;
};

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    size_t count = MAX;
    check(napi_get_cb_info(env, info, &count, values, nullptr, nullptr), "cannot read the arguments");
  }

  Handle &handle(size_t index) const {
    bool matches = false;
    void *data = nullptr;
    if (napi_check_object_type_tag(env, values[index], &HANDLE_TAG, &matches) != napi_ok || !matches ||
        napi_unwrap(env, values[index], &data) != napi_ok)
      badInput("expected a model");
    Handle &handle = *static_cast<Handle *>(data);
    if (!handle.model) badInput("the model is closed");
    return handle;
  }

  std::string string(size_t index) const {
    size_t length = 0;
    check(napi_get_value_string_utf8(env, values[index], nullptr, 0, &length), "expected a string");
    std::string text(length, '\0');
    check(napi_get_value_string_utf8(env, values[index], text.data(), length + 1, &length), "expected a string");
    return text;
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

  int64_t integer(size_t index) const {
    int64_t value = 0;
    check(napi_get_value_int64(env, values[index], &value), "expected an integer");
    return value;
  }

 private:
  static constexpr size_t MAX = 5;
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

/** open(path, kernel): a handle with the shape of the model. */
napi_value open(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto handle = std::make_unique<Handle>();
  handle->kernel = findKernel(arguments.string(1));
  handle->model = shareModel(arguments.string(0));
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

/** embed(handle, ids: Int32Array, lengths: Int32Array, target: Float32Array, offset) */
napi_value embed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Handle &handle = arguments.handle(0);
  const Model &model = *handle.model;
  const auto [ids, idCount] = arguments.array<int32_t>(1, napi_int32_array, "expected the ids as an Int32Array");
  const auto [lengths, texts] = arguments.array<int32_t>(2, napi_int32_array, "expected the lengths as an Int32Array");
  const auto [target, space] = arguments.array<float>(3, napi_float32_array, "expected the target as a Float32Array");
  const int64_t offset = arguments.integer(4);

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
  run(*handle.kernel, model, *handle.scratch, handle.ids.data(), handle.lengths.data(), int(texts), target + offset);
  return nullptr;
}

/** close(handle): gives up the weights and the scratch memory before the handle is collected. */
napi_value close(napi_env env, napi_callback_info info) {
  Handle &handle = Arguments(env, info).handle(0);
  handle.model.reset();
  handle.scratch.reset();
  return nullptr;
}

/** No exception leaves the addon: each becomes one of JavaScript's, with a code. */
template <napi_value (*function)(napi_env, napi_callback_info)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return function(env, info);
  } catch (const CodedError &error) {
    napi_throw_error(env, error.code, error.what());
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
  return exports;
}
