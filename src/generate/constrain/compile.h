// The languages that answers can be held to, each compiled to a Grammar.
//
// All of them: errors name the place in the input (`where`, then the position or the path) and what
// it is that is refused; what is not supported is refused, never ignored. Compiling takes less than
// a second, or ends with an error that says what takes too many states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/constrain/grammar.h"

namespace ergo::generate::constrain {

/// Texts that a regular expression matches from the first to the last character.
///
/// The common part of ECMAScript's and Perl's syntax: alternatives, groups (all kinds that only
/// group), classes, . (any character but line ends), \d \w \s (ASCII; \s with Unicode's spaces) and
/// their opposites, \p{L} and other general categories, escapes of characters, quantifiers (greedy
/// and lazy are the same here). ^ and $ where they hold for sure. Refused: look-around,
/// back-references, word boundaries, possessive and atomic groups, flags.
Result<std::shared_ptr<const Grammar>> CompileRegex(std::string_view pattern,
                                                    const std::string& where = "regex");

/// Texts of the rule `root` of a grammar in GBNF.
///
/// Rules `name ::= …`, literals "…" and classes […] with the escapes \n \r \t \\ \" \[ \] \xHH
/// \uHHHH \UHHHHHHHH, `.` for any character, groups, alternatives |, repetition * + ? {m} {m,} {,n}
/// {m,n}, comments from # to the end of the line. A rule may go on over line ends where a group is
/// open or after |. Refused: left recursion, rules without text, names that are not defined.
Result<std::shared_ptr<const Grammar>> CompileGbnf(std::string_view text,
                                                   const std::string& where = "grammar");

/// One of the given texts. Errors: no choices, an empty one, invalid UTF-8.
Result<std::shared_ptr<const Grammar>> CompileChoices(const std::vector<std::string>& choices,
                                                      const std::string& where = "choices");

/// What may stand between the parts of a JSON text.
enum class JsonSpacing : std::uint8_t {
  kCompact,   ///< nothing: {"a":[1,2]}
  kOneLine,   ///< at most one space after each comma and colon
  kFlexible,  ///< nothing, one space, or one line end and up to 40 spaces or tabs
};

struct JsonSchemaOptions {
  JsonSpacing spacing = JsonSpacing::kFlexible;
  /// Objects have no properties but those that the schema lists, unless it says otherwise.
  bool closed_objects = false;
};

/// What stands around JSON texts, and how many of them there may be.
struct JsonFrame {
  std::string before = {};
  std::string after = {};
  std::string between = {};  ///< frames
  std::uint32_t most = 1;    ///< frames; at least one is there
};

/// JSON texts that satisfy a schema (draft 2020-12, with the older spellings of what is supported).
///
/// Properties come in the order of the schema, further ones after them; a further property's name
/// may be written twice. Numbers are written plainly: no exponent where there is a bound, no
/// fraction for an integer. What is supported, and what is refused, is in json_schema.h.
Result<std::shared_ptr<const Grammar>> CompileJsonSchema(std::string_view schema,
                                                         const JsonSchemaOptions& options = {},
                                                         const std::string& where = "schema");
/// The same for a schema that has been parsed.
Result<std::shared_ptr<const Grammar>> CompileParsedJsonSchema(
    const OrderedJson& schema, const JsonSchemaOptions& options = {},
    const std::string& where = "schema");

/// Any JSON object, as "JSON mode" wants it.
Result<std::shared_ptr<const Grammar>> CompileAnyJsonObject(const JsonSchemaOptions& options = {});

/// Texts that satisfy a schema, each within a frame.
Result<std::shared_ptr<const Grammar>> CompileFramedJsonSchema(
    const OrderedJson& schema, const JsonFrame& frame, const JsonSchemaOptions& options = {},
    const std::string& where = "schema");

}  // namespace ergo::generate::constrain
