/** See wordpiece.h; the order of the steps is that of the library, `BertNormalizer` first. */
#include "wordpiece.h"

#include <algorithm>

namespace embedmill {
namespace {

constexpr uint32_t START = 0, CONTINUATION = 1;
/** Memory for ids that is kept from text to text. */
constexpr size_t MAX_KEPT_IDS = 1 << 16;
constexpr char16_t REPLACEMENT_CHARACTER = 0xfffd;

bool isHighSurrogate(uint32_t unit) { return unit >= 0xd800 && unit <= 0xdbff; }
bool isLowSurrogate(uint32_t unit) { return unit >= 0xdc00 && unit <= 0xdfff; }

/** Reads one code point, or an unpaired surrogate as itself, and moves past it. */
uint32_t readCode(const char16_t *text, size_t length, size_t &at) {
  const uint32_t unit = text[at++];
  if (!isHighSurrogate(unit) || at >= length || !isLowSurrogate(text[at])) return unit;
  return 0x10000 + ((unit - 0xd800) << 10) + (text[at++] - 0xdc00u);
}

}  // namespace

Vocabulary::Vocabulary(const std::vector<VocabularyEntry> &entries) {
  size_t units = 2;
  for (const auto &entry : entries) units += entry.first.size();
  if (units > MAX_NODES)
    throw VocabularyError("the vocabulary has more than " + std::to_string(MAX_NODES) + " characters");
  int bits = 4;
  while ((size_t(1) << bits) < 2 * units) bits++;
  edges.resize(size_t(1) << bits);
  shift = 64 - bits;
  idAt.assign(2, -1);
  for (const auto &[token, id] : entries) {
    const bool isContinuation = token.size() > 2 && token[0] == '#' && token[1] == '#';
    uint32_t node = isContinuation ? CONTINUATION : START;
    for (size_t at = isContinuation ? 2 : 0; at < token.size();)
      node = childOf(node, readCode(token.data(), token.size(), at));
    if (node > CONTINUATION) idAt[node] = id;
  }
  for (uint64_t &edge : edges)
    if (edge != 0 && idAt[edge >> 1 & (MAX_NODES - 1)] >= 0) edge |= 1;
}

/** Finds or makes the child of a node. */
uint32_t Vocabulary::childOf(uint32_t node, uint32_t code) {
  const uint64_t key = keyOf(node, code);
  size_t slot = slotOf(key);
  for (; edges[slot] != 0; slot = (slot + 1) & (edges.size() - 1))
    if (edges[slot] >> (NODE_BITS + 1) == key) return edges[slot] >> 1 & (MAX_NODES - 1);
  const uint32_t child = uint32_t(idAt.size());
  idAt.push_back(-1);
  edges[slot] = key << (NODE_BITS + 1) | uint64_t(child) << 1;
  return child;
}

bool Vocabulary::appendPieces(const uint32_t *word, uint32_t length, std::vector<int32_t> &ids) const {
  const size_t before = ids.size();
  const size_t mask = edges.size() - 1;
  uint32_t root = START;
  for (uint32_t start = 0; start < length; root = CONTINUATION) {
    uint32_t node = root, last = 0, end = start;
    for (uint32_t at = start; at < length; at++) {
      const uint64_t key = keyOf(node, word[at]);
      size_t slot = slotOf(key);
      while (edges[slot] != 0 && edges[slot] >> (NODE_BITS + 1) != key) slot = (slot + 1) & mask;
      const uint64_t edge = edges[slot];
      if (edge == 0) break;
      node = edge >> 1 & (MAX_NODES - 1);
      if (edge & 1) {
        last = node;
        end = at + 1;
      }
    }
    if (end == start) {
      ids.resize(before);
      return false;
    }
    ids.push_back(idAt[last]);
    start = end;
  }
  return true;
}

WordPiece::WordPiece(const WordPieceOptions &options, const std::vector<VocabularyEntry> &vocabulary,
                     std::vector<VocabularyEntry> addedTokens)
    : options(options), characters(Characters::shared()), vocabulary(vocabulary), added(std::move(addedTokens)) {
  std::sort(added.begin(), added.end(), [](const auto &a, const auto &b) { return a.first.size() > b.first.size(); });
  for (const auto &token : added) startsAdded.set(token.first[0]);
  word.resize(options.maxWordCharacters);
  for (uint16_t unit = 0; unit < 128; unit++) {
    const uint16_t properties = characters.properties(unit);
    const bool isUpper = unit >= 'A' && unit <= 'Z';
    const uint16_t letter = options.lowerCase && isUpper ? unit + 32 : unit;
    // Tab and the line ends are white space although they are control characters.
    const Action action = unit == '\t' || unit == '\n' || unit == '\r' || unit == ' ' ? BREAK
                          : properties & CONTROL                                      ? DROP
                          : properties & PUNCTUATION                                  ? ALONE
                                                                                      : APPEND;
    ascii[unit] = uint16_t(letter << 8 | (startsAdded[unit] ? LOOK_UP : action));
  }
}

const std::vector<int32_t> &WordPiece::encode(const char16_t *text, size_t length) {
  if (ids.capacity() > MAX_KEPT_IDS) std::vector<int32_t>().swap(ids);
  ids.clear();
  marks.clear();
  wordLength = 0;
  for (size_t at = 0; at < length;) {
    const char16_t unit = text[at];
    if (unit < 128 && encodeAscii(ascii[unit])) {
      at++;
      continue;
    }
    if (startsAdded[unit]) {
      if (const VocabularyEntry *token = addedTokenAt(text + at, length - at)) {
        flushMarks();
        endWord();
        ids.push_back(token->second);
        at += token->first.size();
        continue;
      }
    }
    const uint32_t code = readCode(text, length, at);
    normalize(code, characters.properties(code));
  }
  flushMarks();
  endWord();
  return ids;
}

/** The same as `normalize`, for the characters of most texts; false for one that an added token may start with. */
inline bool WordPiece::encodeAscii(uint16_t entry) {
  const uint16_t action = entry & 0xff;
  if (action == DROP) return true;
  if (action == LOOK_UP) return false;
  flushMarks();
  if (action != APPEND) endWord();
  if (action != BREAK) appendToWord(entry >> 8);
  if (action == ALONE) endWord();
  return true;
}

const VocabularyEntry *WordPiece::addedTokenAt(const char16_t *text, size_t length) const {
  for (const auto &entry : added)
    if (entry.first.size() <= length && std::equal(entry.first.begin(), entry.first.end(), text)) return &entry;
  return nullptr;
}

/** Cleans a character, makes an ideograph a word of its own, and maps the others to lower case. */
void WordPiece::normalize(uint32_t code, uint16_t properties) {
  const bool isSurrogate = code >= 0xd800 && code <= 0xdfff;
  if (code == '\t' || code == '\n' || code == '\r') return order(' ', SPACE);
  if (code == REPLACEMENT_CHARACTER || isSurrogate || properties & CONTROL) return;
  if (properties & SPACE) return order(' ', SPACE);
  const bool isAlone = properties & IDEOGRAPH && options.splitIdeographs;
  if (isAlone) order(' ', SPACE);
  if (options.lowerCase && properties & HAS_LOWER_CASE) {
    const Replacement lower = characters.lowerCase(code);
    for (uint32_t i = 0; i < lower.count; i++) decompose(lower.codes[i]);
  } else {
    decompose(code);
  }
  if (isAlone) order(' ', SPACE);
}

/** Decomposes a character if accents are stripped. */
void WordPiece::decompose(uint32_t code) {
  const uint16_t properties = characters.properties(code);
  if (!options.stripAccents) return append(code, properties);
  if (!(properties & HAS_DECOMPOSITION)) return order(code, properties);
  if (code >= FIRST_SYLLABLE && code <= LAST_SYLLABLE) {
    const uint32_t syllable = code - FIRST_SYLLABLE;
    order(0x1100 + syllable / 588, 0);
    order(0x1161 + syllable % 588 / 28, 0);
    if (syllable % 28 != 0) order(0x11a7 + syllable % 28, 0);
    return;
  }
  const Replacement parts = characters.decomposition(code);
  for (uint32_t i = 0; i < parts.count; i++) order(parts.codes[i], characters.properties(parts.codes[i]));
}

/** Drops accents and puts other marks into canonical order: a stable sort of those between two starters. */
void WordPiece::order(uint32_t code, uint16_t properties) {
  if (properties & MARK && options.stripAccents) {
    if (properties & STARTER_MARK) flushMarks();
    return;
  }
  if (properties & SPACING_MARK && options.stripAccents) {
    marks.emplace_back(characters.spacingMarkRank(code), code);
    return;
  }
  flushMarks();
  append(code, properties);
}

void WordPiece::sortMarks() {
  std::stable_sort(marks.begin(), marks.end(), [](const auto &a, const auto &b) { return a.first < b.first; });
  for (const auto &[rank, code] : marks) append(code, characters.properties(code));
  marks.clear();
}

/** Adds a normalized character to its word. */
void WordPiece::append(uint32_t code, uint16_t properties) {
  if (properties & SPACE) return endWord();
  if (!(properties & PUNCTUATION)) return appendToWord(code);
  endWord();
  appendToWord(code);
  endWord();
}

void WordPiece::endWord() {
  if (wordLength == 0) return;
  const bool isKnown =
      wordLength <= options.maxWordCharacters && vocabulary.appendPieces(word.data(), uint32_t(wordLength), ids);
  if (!isKnown) ids.push_back(options.unknownId);
  wordLength = 0;
}

}  // namespace embedmill
