// Reads fields of untrusted JSON objects into C++ values; the first error is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ergo::reasoning {

/// Each call leaves the value alone where the field is missing, sets it to its default (T{}) where
/// it is null, and notes an error where it has another type. Numbers must be finite.
class JsonFields {
 public:
  /// `where` names the object in errors; `object` must outlive this.
  JsonFields(const OrderedJson& object, std::string where);

  void Text(const char* name, std::string* value);
  void Number(const char* name, double* value);
  void Number(const char* name, std::optional<double>* value);
  void Count(const char* name, std::uint64_t* value);
  void Integer(const char* name, std::int64_t* value);
  void Flag(const char* name, bool* value);
  /// nullptr if it is missing or null; an error if it is no object or array.
  const OrderedJson* Object(const char* name);
  const OrderedJson* Array(const char* name);
  bool IsNull(const char* name) const;

  void Refuse(const std::string& name, std::string_view why);
  const std::string& where() const { return where_; }
  const Status& status() const { return status_; }

 private:
  const OrderedJson* Find(const char* name) const;

  const OrderedJson& object_;
  std::string where_;
  Status status_;
};

/// `value` fit to be written: text made UTF-8, numbers that are not finite and what is nested
/// deeper than 64 levels made null.
OrderedJson Writable(OrderedJson value);

}  // namespace ergo::reasoning
