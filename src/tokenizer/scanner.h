// Hand-written forms of the two families of splitting expressions that most models use. They give
// the same words as the expressions (scanner_test.cc compares them on random text), several times
// faster.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ergo::tokenizer {

/// Which expression. All of them match everywhere: consecutive words cover the text.
enum class ScannerKind {
  kGpt2,    ///< 's|'t|… |' '?L+|' '?N+|' '?other+|space…
  kLlama3,  ///< as kQwen2, with up to three digits in a word
  kQwen2,   ///< contractions in any case, L+ with one leading character, single digits …
};

/// The scanner that is equal to a regular expression in Oniguruma's syntax, if there is one.
std::optional<ScannerKind> ScannerFor(std::string_view pattern);

/// The expression of a scanner.
std::string_view PatternOf(ScannerKind kind);

/// End of the word that starts at `from` < text.size(). `text` is valid UTF-8.
std::size_t ScanWord(ScannerKind kind, std::string_view text, std::size_t from);

}  // namespace ergo::tokenizer
