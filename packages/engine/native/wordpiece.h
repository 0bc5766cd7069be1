/**
 * BERT's tokenizer: UTF-16 in, token ids out, equal to those of the library `@huggingface/tokenizers` after the
 * corrections of packages/embed/src/text/reference-bert.ts.
 *
 * One pass: added tokens are split off; control characters are dropped and white space ends a word; ideographs are
 * words of their own; letters are mapped to lower case and decomposed, and their accents dropped; punctuation marks are
 * words of their own; each word is divided into the longest pieces of the vocabulary, from left to right.
 */
#pragma once
#include <bitset>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "characters.h"

namespace embedmill {

/** Why a vocabulary was refused. */
struct VocabularyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct WordPieceOptions {
  bool lowerCase, stripAccents, splitIdeographs;
  /** Longer words, in code points after normalization, are one unknown token. */
  uint32_t maxWordCharacters;
  int32_t unknownId;
};

/** A token with its id. */
using VocabularyEntry = std::pair<std::u16string, int32_t>;

/**
 * A trie over the tokens, as one hash table of edges. Words start at node 0, continuations (tokens with "##" in front)
 * at node 1.
 */
class Vocabulary {
 public:
  explicit Vocabulary(const std::vector<VocabularyEntry> &entries);

  /** Appends the ids of the pieces of a word, or nothing and returns false if it has none. */
  bool appendPieces(const uint32_t *word, uint32_t length, std::vector<int32_t> &ids) const;

 private:
  static constexpr uint32_t CODE_BITS = 21, NODE_BITS = 21, MAX_NODES = 1 << NODE_BITS;

  uint32_t childOf(uint32_t node, uint32_t code);
  size_t slotOf(uint64_t key) const { return size_t(key * 0x9e3779b97f4a7c15ULL >> shift); }
  static uint64_t keyOf(uint32_t node, uint32_t code) { return uint64_t(node) << CODE_BITS | code; }

  /** Key of the edge in the upper 42 bits, child in the next 21, 1 if the child is a token; 0: free. */
  std::vector<uint64_t> edges;
  int shift;
  /** Id of the token that ends at each node, or -1. */
  std::vector<int32_t> idAt;
};

/** Not for several threads at a time: it has buffers. */
class WordPiece {
 public:
  /** @param added tokens that are found in the text before normalization */
  WordPiece(const WordPieceOptions &options, const std::vector<VocabularyEntry> &vocabulary,
            std::vector<VocabularyEntry> added);

  /** The ids of a text without special tokens around it; valid until the next call. */
  const std::vector<int32_t> &encode(const char16_t *text, size_t length);

 private:
  /** What an ASCII character does, in the lower bits; the character to append in the upper ones. */
  enum Action : uint16_t { DROP, BREAK, ALONE, APPEND, LOOK_UP };

  bool encodeAscii(uint16_t entry);
  const VocabularyEntry *addedTokenAt(const char16_t *text, size_t length) const;
  void normalize(uint32_t code, uint16_t properties);
  void decompose(uint32_t code);
  void order(uint32_t code, uint16_t properties);
  void flushMarks() {
    if (!marks.empty()) sortMarks();
  }
  void sortMarks();
  void append(uint32_t code, uint16_t properties);
  void appendToWord(uint32_t code) {
    if (wordLength < options.maxWordCharacters) word[wordLength] = code;
    wordLength++;
  }
  void endWord();

  const WordPieceOptions options;
  const Characters &characters;
  const Vocabulary vocabulary;
  /** Longest first. */
  std::vector<VocabularyEntry> added;
  std::bitset<65536> startsAdded;
  uint16_t ascii[128];

  std::vector<uint32_t> word;
  size_t wordLength = 0;
  /** Spacing marks that wait to be sorted, each with its rank. */
  std::vector<std::pair<uint32_t, uint32_t>> marks;
  std::vector<int32_t> ids;
};

}  // namespace embedmill
