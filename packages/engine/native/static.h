/** Vectors of static models: the mean of the rows of a text's tokens, in a fixed order of float64 steps. */
#pragma once
#include <cstddef>
#include <cstdint>

namespace embedmill {

/**
 * Writes the normalized sum of rows to `target`: float64 sums in the order of the tokens, the sum of squares in four
 * interleaved parts. packages/embed/src/embedder/static-runner.ts computes the same bytes in JavaScript.
 *
 * @param ids rows of the table, checked by the caller
 * @param sum scratch of `dim` numbers
 * @return false if the sum has no finite length above 0; the target is then undefined
 */
bool embedStatic(const float *rows, size_t dim, const int32_t *ids, size_t count, double *sum, float *target);

}  // namespace embedmill
