/** Character properties of the pinned Unicode version, looked up by code point. */
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace embedmill {

/** What a normalizer asks of a character; bits. */
enum Property : uint16_t {
  CONTROL = 1,
  SPACE = 2,
  PUNCTUATION = 4,
  MARK = 8,
  /** A mark with combining class 0. */
  STARTER_MARK = 16,
  /** A word of its own: a CJK ideograph in the ranges of BERT. */
  IDEOGRAPH = 32,
  HAS_LOWER_CASE = 64,
  HAS_DECOMPOSITION = 128,
  /** Not a mark, but sorted like one: its combining class is not 0. */
  SPACING_MARK = 256,
};

/** Hangul syllables, whose decompositions are computed (chapter 3.12 of the Unicode Standard). */
constexpr uint32_t FIRST_SYLLABLE = 0xac00, LAST_SYLLABLE = 0xd7a3;

/** Code points that replace one. */
struct Replacement {
  const uint32_t *codes;
  uint32_t count;
};

/** The tables of unicode-tables.h, unfolded for direct access; one per process. */
class Characters {
 public:
  static const Characters &shared();

  /** @param code below 0x110000 */
  uint16_t properties(uint32_t code) const {
    return pages[size_t(index[code >> PAGE_BITS]) << PAGE_BITS | (code & PAGE_MASK)];
  }

  /** Only for a code point with HAS_LOWER_CASE, or with HAS_DECOMPOSITION and not a Hangul syllable. */
  Replacement lowerCase(uint32_t code) const { return find(lower, code); }
  Replacement decomposition(uint32_t code) const { return find(decompositions, code); }

  /** Rank of the combining class of a code point with SPACING_MARK: lower ranks are sorted to the front. */
  uint32_t spacingMarkRank(uint32_t code) const;

 private:
  static constexpr int PAGE_BITS = 8;
  static constexpr uint32_t PAGE_SIZE = 1 << PAGE_BITS, PAGE_MASK = PAGE_SIZE - 1, PAGES = 0x110000 >> PAGE_BITS;
  /** Code points with the place of their entry in a list of unicode-tables.h, sorted. */
  using Entries = std::vector<std::pair<uint32_t, const uint32_t *>>;

  Characters();
  static Entries entriesOf(const uint32_t *list, size_t length);
  static Replacement find(const Entries &entries, uint32_t code);

  /** Number of the page of each 256 code points; equal pages are stored once. */
  std::vector<uint16_t> index;
  std::vector<uint16_t> pages;
  Entries lower, decompositions;
};

}  // namespace embedmill
