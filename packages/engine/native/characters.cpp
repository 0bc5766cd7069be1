/** Unfolds the tables of unicode-tables.h. */
#include "characters.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "unicode-tables.h"

namespace embedmill {
namespace {

/** CJK ideographs as BERT defines them; the ranges do not follow Unicode versions. */
constexpr uint32_t IDEOGRAPHS[] = {0x3400,  0x4dbf,  0x4e00,  0x9fff,  0xf900,  0xfaff,
                                   0x20000, 0x2a6df, 0x2a700, 0x2ceaf, 0x2f800, 0x2fa1f};

template <size_t N>
void mark(std::vector<uint16_t> &all, const uint32_t (&ranges)[N], uint16_t property) {
  for (size_t i = 0; i < N; i += 2)
    for (uint32_t code = ranges[i]; code <= ranges[i + 1]; code++) all[code] |= property;
}

}  // namespace

Characters::Characters() : index(PAGES) {
  std::vector<uint16_t> all(0x110000);
  mark(all, unicode::CONTROLS, CONTROL);
  mark(all, unicode::SPACES, SPACE);
  mark(all, unicode::PUNCTUATION, PUNCTUATION);
  mark(all, unicode::MARKS, MARK);
  mark(all, unicode::STARTER_MARKS, STARTER_MARK);
  mark(all, IDEOGRAPHS, IDEOGRAPH);
  lower = entriesOf(unicode::LOWER_CASE, std::size(unicode::LOWER_CASE));
  decompositions = entriesOf(unicode::DECOMPOSITIONS, std::size(unicode::DECOMPOSITIONS));
  for (const auto &entry : lower) all[entry.first] |= HAS_LOWER_CASE;
  for (const auto &entry : decompositions) all[entry.first] |= HAS_DECOMPOSITION;
  for (uint32_t code = FIRST_SYLLABLE; code <= LAST_SYLLABLE; code++) all[code] |= HAS_DECOMPOSITION;

  for (size_t i = 0; i < std::size(unicode::SPACING_MARKS); i += 2) all[unicode::SPACING_MARKS[i]] |= SPACING_MARK;

  std::map<std::vector<uint16_t>, uint16_t> known;
  for (uint32_t page = 0; page < PAGES; page++) {
    const auto first = all.begin() + page * PAGE_SIZE;
    const auto [place, isNew] = known.try_emplace({first, first + PAGE_SIZE}, uint16_t(known.size()));
    if (isNew) pages.insert(pages.end(), first, first + PAGE_SIZE);
    index[page] = place->second;
  }
}

const Characters &Characters::shared() {
  static const Characters characters;
  return characters;
}

uint32_t Characters::spacingMarkRank(uint32_t code) const {
  size_t i = 0;
  while (unicode::SPACING_MARKS[i] != code) i += 2;
  return unicode::SPACING_MARKS[i + 1];
}

Characters::Entries Characters::entriesOf(const uint32_t *list, size_t length) {
  Entries entries;
  for (size_t i = 0; i < length; i += 2 + list[i + 1]) entries.emplace_back(list[i], list + i + 1);
  return entries;
}

Replacement Characters::find(const Entries &entries, uint32_t code) {
  const auto place = std::lower_bound(entries.begin(), entries.end(), code,
                                      [](const auto &entry, uint32_t wanted) { return entry.first < wanted; });
  return {place->second + 1, *place->second};
}

}  // namespace embedmill
