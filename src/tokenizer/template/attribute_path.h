// The `attribute=` argument of filters: a path like "function.name" or "0.id".
#pragma once

#include <vector>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

class AttributePath {
 public:
  /// No path (the item itself) if `attribute` is null or none.
  AttributePath(Runtime& runtime, const Value* attribute);

  /// What the path leads to from `item`; `otherwise` replaces undefined values, if not null.
  Value From(Runtime& runtime, const Value& item, const Value* otherwise = nullptr) const;

  /// As sort(attribute="a,b") wants it: one path for each part.
  static std::vector<AttributePath> SplitAtCommas(Runtime& runtime, const Value* attribute);

 private:
  std::vector<Value> parts_;
};

/// Strings in lower case, other values as they are: the order of sorts that ignore case.
Value IgnoreCase(Runtime& runtime, const Value& value);

}  // namespace ergo::tokenizer::jinja
