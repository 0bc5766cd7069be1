/** Checks what a caller gives to a forward pass, so that no id or length can reach memory that is not its own. */
#pragma once
#include "kernel.h"

namespace embedmill {

/** Why this pack cannot be embedded, or an empty string. `available` is the number of ids that the caller gave. */
inline std::string findProblem(const Model &model, const int32_t *ids, size_t available, const int32_t *lengths,
                               int texts) {
  size_t tokens = 0;
  for (int text = 0; text < texts; text++) {
    const int32_t length = lengths[text];
    if (length < 1 || length > model.positions)
      return "text " + std::to_string(text) + " has " + std::to_string(length) + " tokens, expected 1 to " +
             std::to_string(model.positions);
    tokens += size_t(length);
    if (tokens > size_t(MAX_PACK_TOKENS))
      return "the pack has more than " + std::to_string(MAX_PACK_TOKENS) + " tokens";
  }
  if (tokens > available)
    return "the lengths add up to " + std::to_string(tokens) + " tokens, but there are " + std::to_string(available) +
           " ids";
  for (size_t i = 0; i < tokens; i++)
    if (ids[i] < 0 || ids[i] >= model.vocabulary)
      return "token id " + std::to_string(ids[i]) + " at " + std::to_string(i) + " is not in the vocabulary of " +
             std::to_string(model.vocabulary);
  return "";
}

}  // namespace embedmill
