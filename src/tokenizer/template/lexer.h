// Template text to tokens, with Jinja's rules for white space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/template/value.h"

namespace ergo::tokenizer::jinja {

enum class TokenKind {
  kData,           ///< Text outside tags.
  kVariableBegin,  ///< {{
  kVariableEnd,    ///< }}
  kBlockBegin,     ///< {%
  kBlockEnd,       ///< %}
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint32_t line = 1;
  std::string text;  ///< Data, name, operator, or the string without quotes and escapes.
  Int whole = 0;
  double real = 0;

  bool Is(TokenKind wanted, std::string_view wanted_text) const {
    return kind == wanted && text == wanted_text;
  }
  bool IsName(std::string_view name) const { return Is(TokenKind::kName, name); }
  bool IsOperator(std::string_view op) const { return Is(TokenKind::kOperator, op); }
};

/// The tokens of `source`, ending in kEnd. The environment is Transformers': trim_blocks and
/// lstrip_blocks are on, one newline at the end of the template is dropped. Raises TemplateError.
std::vector<Token> Tokenize(std::string_view source);

}  // namespace ergo::tokenizer::jinja
