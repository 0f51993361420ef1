#include "reasoning/trace/json_fields.h"

#include <cmath>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace ergo::reasoning {
namespace {

constexpr int kMaxDepth = 64;

void MakeWritable(OrderedJson* value, int depth) {
  if (depth > kMaxDepth) {
    *value = nullptr;
  } else if (value->is_string()) {
    auto& text = value->get_ref<std::string&>();
    if (FindInvalidUtf8(text)) text = RepairUtf8(text);
  } else if (value->is_number_float()) {
    if (!std::isfinite(value->get<double>())) *value = nullptr;
  } else if (value->is_array()) {
    for (OrderedJson& item : *value) MakeWritable(&item, depth + 1);
  } else if (value->is_object()) {
    OrderedJson copy = OrderedJson::object();
    for (auto& [name, item] : value->items()) {
      MakeWritable(&item, depth + 1);
      copy[FindInvalidUtf8(name) ? RepairUtf8(name) : name] = std::move(item);
    }
    *value = std::move(copy);
  } else if (value->is_binary() || value->is_discarded()) {
    *value = nullptr;
  }
}

}  // namespace

JsonFields::JsonFields(const OrderedJson& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) status_ = Fail("is not an object", where_);
}

const OrderedJson* JsonFields::Find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void JsonFields::Refuse(const std::string& name, std::string_view why) {
  if (status_) status_ = Fail(std::string(why), where_ + "." + name);
}

void JsonFields::Text(const char* name, std::string* value) {
  const OrderedJson* field = Find(name);
  if (!field) return;
  if (field->is_null()) {
    value->clear();
  } else if (field->is_string()) {
    *value = field->get_ref<const std::string&>();
  } else {
    Refuse(name, "is not text");
  }
}

void JsonFields::Number(const char* name, double* value) {
  std::optional<double> number = *value;
  Number(name, &number);
  *value = number.value_or(0.0);
}

void JsonFields::Number(const char* name, std::optional<double>* value) {
  const OrderedJson* field = Find(name);
  if (!field) return;
  if (field->is_null()) {
    value->reset();
  } else if (field->is_number() && std::isfinite(field->get<double>())) {
    *value = field->get<double>();
  } else {
    Refuse(name, "is not a finite number");
  }
}

void JsonFields::Count(const char* name, std::uint64_t* value) {
  const OrderedJson* field = Find(name);
  if (!field) return;
  if (field->is_null()) {
    *value = 0;
  } else if (field->is_number_unsigned() ||
             (field->is_number_integer() && field->get<std::int64_t>() >= 0)) {
    *value = field->get<std::uint64_t>();
  } else {
    Refuse(name, "is not a whole number from 0 on");
  }
}

void JsonFields::Integer(const char* name, std::int64_t* value) {
  const OrderedJson* field = Find(name);
  if (!field) return;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (field->is_null()) {
    *value = 0;
  } else if (field->is_number_integer() &&
             !(field->is_number_unsigned() && field->get<std::uint64_t>() > kMost)) {
    *value = field->get<std::int64_t>();
  } else {
    Refuse(name, "is not a whole number");
  }
}

void JsonFields::Flag(const char* name, bool* value) {
  const OrderedJson* field = Find(name);
  if (!field) return;
  if (field->is_null()) {
    *value = false;
  } else if (field->is_boolean()) {
    *value = field->get<bool>();
  } else {
    Refuse(name, "is not true or false");
  }
}

const OrderedJson* JsonFields::Object(const char* name) {
  const OrderedJson* field = Find(name);
  if (!field || field->is_null()) return nullptr;
  if (field->is_object()) return field;
  Refuse(name, "is not an object");
  return nullptr;
}

const OrderedJson* JsonFields::Array(const char* name) {
  const OrderedJson* field = Find(name);
  if (!field || field->is_null()) return nullptr;
  if (field->is_array()) return field;
  Refuse(name, "is not an array");
  return nullptr;
}

bool JsonFields::IsNull(const char* name) const {
  const OrderedJson* field = Find(name);
  return field && field->is_null();
}

OrderedJson Writable(OrderedJson value) {
  MakeWritable(&value, 0);
  return value;
}

}  // namespace ergo::reasoning
