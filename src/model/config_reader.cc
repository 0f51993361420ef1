#include "model/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace ergo::model {
namespace {

const Json& EmptyObject() {
  static const Json kEmpty = Json::object();
  return kEmpty;
}

const Json& TextConfig(const formats::ModelFiles& files) {
  if (!files.config.is_object()) return EmptyObject();
  const auto nested = files.config.find("text_config");
  return nested != files.config.end() && nested->is_object() ? *nested : files.config;
}

}  // namespace

ConfigReader::ConfigReader(const formats::ModelFiles& files)
    : files_(files), json_(is_gguf() ? &EmptyObject() : &TextConfig(files)) {
  if (!is_gguf()) return;
  const auto name = files.gguf.find("general.architecture");
  if (name == files.gguf.end()) return;
  prefix_ = std::string(name->second.String().value_or("")) + ".";
}

const formats::GgufValue* ConfigReader::Gguf(std::string_view key) const {
  const auto found = files_.gguf.find(prefix_ + std::string(key));
  return found == files_.gguf.end() ? nullptr : &found->second;
}

const Json* ConfigReader::Member(std::string_view key) const {
  const auto found = json_->find(key);
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

std::string ConfigReader::NameOf(const ConfigKey& key) const {
  return is_gguf() ? QuoteForMessage(prefix_ + std::string(key.gguf)) : QuoteForMessage(key.hf);
}

void ConfigReader::Refuse(std::string_view what, const ConfigKey& key, std::string_view remedy) {
  if (!status_) return;
  status_ = Fail(fmt::format("{} {}", NameOf(key), what),
                 is_gguf() ? files_.path : fmt::format("{}/{}", files_.path, key.hf_file),
                 remedy.empty() ? "the file may be damaged; fetch it again" : std::string(remedy));
}

std::optional<std::int64_t> ConfigReader::Integer(const ConfigKey& key) {
  if (is_gguf()) {
    const formats::GgufValue* value = key.gguf.empty() ? nullptr : Gguf(key.gguf);
    if (value == nullptr) return std::nullopt;
    if (value->type == formats::GgufType::kArray) {  // one value per layer; ours are uniform
      const auto each = value->Ints();
      const bool uniform = each && !each->empty() &&
                           std::all_of(each->begin(), each->end(),
                                       [&](std::int64_t n) { return n == each->front(); });
      if (uniform) return each->front();
      Refuse("differs from layer to layer", key, "such models are not supported");
      return std::nullopt;
    }
    const auto number = value->Int();
    if (!number) Refuse("is not a whole number", key);
    return number;
  }
  const Json* value = key.hf.empty() ? nullptr : Member(key.hf);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_integer() &&
      (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX)) {
    return value->get<std::int64_t>();
  }
  Refuse("is not a whole number", key);
  return std::nullopt;
}

std::size_t ConfigReader::Size(const ConfigKey& key, std::size_t most) {
  const auto value = Integer(key);
  if (!value) return 0;
  if (*value < 1 || static_cast<std::uint64_t>(*value) > most) {
    Refuse(fmt::format("is {}, which is not between 1 and {}", *value, most), key);
    return 0;
  }
  return static_cast<std::size_t>(*value);
}

std::size_t ConfigReader::RequiredSize(const ConfigKey& key, std::size_t most) {
  const std::size_t value = Size(key, most);
  if (value == 0) Refuse("is missing", key);
  return value;
}

std::optional<double> ConfigReader::Number(const ConfigKey& key) {
  std::optional<double> number;
  if (is_gguf()) {
    const formats::GgufValue* value = key.gguf.empty() ? nullptr : Gguf(key.gguf);
    if (value == nullptr) return std::nullopt;
    number = value->Float();
  } else {
    const Json* value = key.hf.empty() ? nullptr : Member(key.hf);
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) number = value->get<double>();
  }
  if (!number || !std::isfinite(*number)) {
    Refuse("is not a finite number", key);
    return std::nullopt;
  }
  return number;
}

std::optional<bool> ConfigReader::Flag(const ConfigKey& key) {
  std::optional<bool> flag;
  if (is_gguf()) {
    const formats::GgufValue* value = key.gguf.empty() ? nullptr : Gguf(key.gguf);
    if (value == nullptr) return std::nullopt;
    flag = value->Bool();
  } else {
    const Json* value = key.hf.empty() ? nullptr : Member(key.hf);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) flag = value->get<bool>();
  }
  if (!flag) Refuse("is neither true nor false", key);
  return flag;
}

std::optional<std::string> ConfigReader::Text(const ConfigKey& key) {
  std::optional<std::string> text;
  if (is_gguf()) {
    const formats::GgufValue* value = key.gguf.empty() ? nullptr : Gguf(key.gguf);
    if (value == nullptr) return std::nullopt;
    if (const auto view = value->String()) text = std::string(*view);
  } else {
    const Json* value = key.hf.empty() ? nullptr : Member(key.hf);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) text = value->get<std::string>();
  }
  if (!text) Refuse("is not text", key);
  return text;
}

}  // namespace ergo::model
