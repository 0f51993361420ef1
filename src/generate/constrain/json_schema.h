// JSON Schema as expressions.
//
// Supported: true, false, type, enum, const, $ref (within the schema: "#…" by path or $anchor),
// $defs and definitions, anyOf, allOf (merged), oneOf (as anyOf: that only one branch holds is not
// checked); properties, required, additionalProperties, patternProperties, propertyNames (pattern,
// lengths, enum, const, format), minProperties, maxProperties; items, prefixItems (and the older
// array of items with additionalItems), minItems, maxItems; minLength, maxLength, pattern, format;
// minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf. Keywords apply beside each
// other, also beside $ref and anyOf. Annotations (title, description, default, examples, …) and
// keywords that begin with "x-" mean nothing. All else is refused: not, if, then, else, contains,
// uniqueItems, dependent…, unevaluated…, $dynamicRef, other documents, and unknown keywords.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/constrain/automaton.h"
#include "generate/constrain/compile.h"
#include "generate/constrain/expression.h"
#include "generate/constrain/json_text.h"

namespace ergo::generate::constrain {

/// A schema and where it stands.
struct SchemaAt {
  OrderedJson schema;
  std::string place;  ///< as a JSON pointer: "#/properties/name"
};

/// Puts schemas that must hold together into one (json_merge.cc).
class SchemaMerger {
 public:
  explicit SchemaMerger(const OrderedJson& root) : root_(root) {}

  /// A schema as alternatives that hold no $ref, allOf, anyOf, oneOf, const or annotation. No
  /// alternatives: nothing satisfies it. Errors name the place: bad references, keywords that are
  /// not supported, too many alternatives.
  Result<std::vector<OrderedJson>> Flatten(const SchemaAt& at, int depth = 0) const;

  /// The schema that a $ref means, with its place.
  Result<SchemaAt> Resolve(const OrderedJson& reference, const std::string& place) const;

 private:
  Result<OrderedJson> Merge(const OrderedJson& a, const OrderedJson& b,
                            const std::string& place) const;
  Result<std::vector<OrderedJson>> Cross(std::vector<OrderedJson> all,
                                         const std::vector<OrderedJson>& more,
                                         const std::string& place) const;
  /// The alternatives in `all` with what the combining keyword `key` of a schema demands too.
  Result<std::vector<OrderedJson>> Combine(std::vector<OrderedJson> all, const SchemaAt& at,
                                           const std::string& key, int depth) const;

  const OrderedJson& root_;
  mutable std::size_t parts_ = 0;  ///< of the schema that is being flattened
};

/// What a schema without annotations, conditions and references says.
class SchemaCompiler {
 public:
  SchemaCompiler(const OrderedJson& root, const JsonSchemaOptions& options)
      : options_(options), merger_(root), text_(&expressions_, options.spacing) {}

  /// Defines the rule of the whole schema and all that it needs.
  Result<RuleId> Run(const OrderedJson& root);
  const Expressions& expressions() const { return expressions_; }
  /// For rules around that of the schema.
  Expressions* mutable_expressions() { return &expressions_; }

 private:
  static constexpr std::size_t kMaxStates = 30'000;

  /// The call of the rule of a schema, which is defined later.
  ExprId RuleOf(OrderedJson schema, std::string place);
  Result<ExprId> Compile(const SchemaAt& at);
  Result<ExprId> CompilePlain(const SchemaAt& at);
  Result<ExprId> CompileType(const std::string& type, const SchemaAt& at);
  Result<ExprId> CompileEnum(const SchemaAt& at);
  Result<ExprId> CompileNumber(const SchemaAt& at, bool integer);

  // json_string.cc
  /// The string between its quotes.
  Result<ExprId> StringBody(const SchemaAt& at);
  /// The same as a deterministic automaton in the one spelling of Spelling::kJson.
  Result<Automaton> StringAutomaton(const SchemaAt& at);
  Result<std::vector<ExprId>> StringPatterns(const SchemaAt& at);
  Result<Automaton> ToAutomaton(ExprId expr, const std::string& place) const;

  // json_object.cc
  struct Property {
    std::string name;
    OrderedJson schema;
    std::string place;
    bool required = false;
  };
  /// Names of properties that are not listed, with what their values must be.
  struct Names {
    ExprId name;
    ExprId value;
  };
  struct ObjectShape {
    std::vector<Property> properties;
    std::vector<Names> others;
    std::uint32_t min = 0;
    std::uint32_t max = kUnlimited;
  };
  Result<ExprId> CompileObject(const SchemaAt& at);
  Result<ObjectShape> ShapeOf(const SchemaAt& at);
  Status AddRequired(const SchemaAt& at, ObjectShape* shape) const;
  /// Names that match the same patterns, with the schema of their values.
  struct Region {
    Automaton names;
    OrderedJson schema;
    bool matched = false;
    std::string place;
  };
  Status ApplyPatterns(const SchemaAt& at, ObjectShape* shape);
  /// The names that are not listed, as far as `allowed` has them.
  Result<Automaton> FreeNames(const ObjectShape& shape, const std::optional<Automaton>& allowed,
                              const std::string& place);
  Status ApplyPattern(const std::string& pattern, const SchemaAt& value, ObjectShape* shape,
                      std::vector<Region>* regions);
  Result<std::optional<Automaton>> AllowedNames(const SchemaAt& at);
  Result<ExprId> ObjectGraph(const ObjectShape& shape, const std::string& place);
  ExprId OthersOnly(const ObjectShape& shape);

  Result<ExprId> CompileArray(const SchemaAt& at);

  JsonSchemaOptions options_;
  SchemaMerger merger_;
  Expressions expressions_;
  JsonText text_;
  std::unordered_map<std::string, RuleId> rules_;
  std::vector<std::pair<RuleId, SchemaAt>> work_;
};

/// The value of a count keyword (minLength …), or `fallback`. Errors: not a whole number.
Result<std::uint32_t> CountOf(const OrderedJson& schema, const char* key, std::uint32_t fallback,
                              const std::string& place);
/// A place one step further down, escaped as JSON pointers are.
std::string Below(const std::string& place, std::string_view key);
/// The schema without what means nothing.
OrderedJson WithoutAnnotations(const OrderedJson& schema, const std::string& place);
/// The schema that is satisfied where both are.
OrderedJson BothSchemas(const OrderedJson& a, const OrderedJson& b);

}  // namespace ergo::generate::constrain
