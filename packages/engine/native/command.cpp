/**
 * The engine as a program, for machines and builds where Node cannot load the addon: WebAssembly, emulated AArch64,
 * sanitizers.
 *
 *   kernels                               one line per kernel: its name, and whether this CPU can run it
 *   embed WEIGHTS KERNEL PACK_TOKENS [THREADS]
 *                                         reads texts from stdin, writes their vectors as float32 to stdout; with more
 *                                         than one thread, also the number of steps that helpers ran, to stderr
 *
 * stdin: int32 texts, int32 length of each, then all ids as int32. Neighbours share a pack while their sum is at most
 * PACK_TOKENS. A build with EMBEDMILL_PROFILE writes the seconds of each stage to stderr.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if !defined(__wasm__)
#include "helpers.h"
#endif
#include "kernel.h"
#include "validate.h"

using namespace embedmill;

namespace {

std::vector<int32_t> readInts(size_t count) {
  std::vector<int32_t> values(count);
  if (std::fread(values.data(), sizeof(int32_t), count, stdin) != count) {
    std::fprintf(stderr, "stdin ended early\n");
    std::exit(2);
  }
  return values;
}

int embed(const char *path, const char *kernelName, int packTokens, [[maybe_unused]] int threads) {
  const auto model = loadModel(path);
  const Kernel *kernel = nullptr;
  for (const Kernel &candidate : kernels())
    if (std::strcmp(candidate.name, kernelName) == 0 && candidate.available()) kernel = &candidate;
  if (!kernel) {
    std::fprintf(stderr, "no kernel \"%s\" on this machine\n", kernelName);
    return 2;
  }
  const int32_t texts = readInts(1)[0];
  if (texts < 0 || texts > 1 << 24) {
    std::fprintf(stderr, "%d texts\n", texts);
    return 2;
  }
  const auto lengths = readInts(size_t(texts));
  size_t total = 0;
  for (const int32_t length : lengths) total += length > 0 && length <= MAX_POSITIONS ? size_t(length) : 0;
  const auto ids = readInts(total);

  std::vector<float> vectors(size_t(texts) * model->width);
  std::unique_ptr<Scratch> scratch;
#if !defined(__wasm__)
  std::unique_ptr<HelpedRuns> runs;
  if (threads > 1) runs = std::make_unique<HelpedRuns>(Helpers::shared(threads));
#endif
  size_t next = 0;
  for (int first = 0, count; first < texts; first += count) {
    int tokens = lengths[first];
    for (count = 1; first + count < texts && tokens + lengths[first + count] <= packTokens; count++)
      tokens += lengths[first + count];
    const std::string problem = findProblem(*model, ids.data() + next, total - next, lengths.data() + first, count);
    if (!problem.empty()) {
      std::fprintf(stderr, "%s\n", problem.c_str());
      return 2;
    }
    if (!scratch || scratch->rows < tokens) scratch = std::make_unique<Scratch>(*model, tokens);
#if !defined(__wasm__)
    if (runs) runs->begin(*model, *scratch, true);
#endif
    run(*kernel, *model, *scratch, ids.data() + next, lengths.data() + first, count,
        vectors.data() + size_t(first) * model->width);
#if !defined(__wasm__)
    if (runs) runs->end();
#endif
    next += size_t(tokens);
  }
  if (std::fwrite(vectors.data(), sizeof(float), vectors.size(), stdout) != vectors.size()) return 2;
#if !defined(__wasm__)
  if (runs) std::fprintf(stderr, "%ld\n", runs->stepsOfHelpers());
#endif
#if defined(EMBEDMILL_PROFILE)
  static const char *const names[STAGES] = {"embed", "qkv", "pack", "scores", "softmax",
                                            "weigh", "mix", "wide", "narrow", "rows"};
  for (int i = 0; i < STAGES && scratch; i++) std::fprintf(stderr, "%s %.6f\n", names[i], scratch->own.profile[i]);
#endif
  return 0;
}

}  // namespace

int main(int count, char **arguments) {
  const std::string command = count > 1 ? arguments[1] : "";
  if (command == "kernels") {
    for (const Kernel &kernel : kernels()) std::printf("%s %s\n", kernel.name, kernel.available() ? "yes" : "no");
    return 0;
  }
#if defined(__wasm__)
  if (command == "embed" && count == 5) return embed(arguments[2], arguments[3], std::atoi(arguments[4]), 1);
#else
  try {
    if (command == "embed" && (count == 5 || count == 6))
      return embed(arguments[2], arguments[3], std::atoi(arguments[4]), count == 6 ? std::atoi(arguments[5]) : 1);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
#endif
  std::fprintf(stderr, "usage: kernels | embed WEIGHTS KERNEL PACK_TOKENS [THREADS]\n");
  return 2;
}
