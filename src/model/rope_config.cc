#include "model/rope_config.h"

#include <cmath>
#include <optional>
#include <string>

#include "base/utf8.h"

namespace ergo::model {
namespace {

using kernels::RopeConfig;
using Type = RopeConfig::Type;

constexpr ConfigKey kScalingKey = {"rope.scaling.type", "rope_parameters"};

std::optional<Type> TypeOf(std::string_view name) {
  if (name == "default" || name == "none") return Type::kDefault;
  if (name == "linear") return Type::kLinear;
  if (name == "dynamic") return Type::kDynamic;
  if (name == "yarn") return Type::kYarn;
  if (name == "llama3") return Type::kLlama3;
  return std::nullopt;
}

void SetType(ConfigReader& reader, std::string_view name, RopeConfig& rope) {
  if (const auto type = TypeOf(name)) {
    rope.type = *type;
    return;
  }
  reader.Refuse("has the type " + QuoteForMessage(name), kScalingKey,
                "default, linear, dynamic, yarn and llama3 are supported");
}

void ReadGgufScaling(ConfigReader& reader, const ModelConfig& config, RopeConfig& rope) {
  const auto type = reader.Text({"rope.scaling.type", ""});
  if (type) SetType(reader, *type, rope);
  const auto factor = reader.Number({"rope.scaling.factor", ""});
  if (!type && factor && *factor != 1.0 && *factor != 0.0) rope.type = Type::kLinear;
  if (const auto old = reader.Number({"rope.scale_linear", ""}); old && !type && !factor) {
    rope.factor = *old;
    if (*old != 1.0) rope.type = Type::kLinear;
  }
  if (factor && *factor != 0.0) rope.factor = *factor;
  rope.original_context =
      reader.Size({"rope.scaling.original_context_length", ""}, std::size_t{1} << 40);
  if (rope.original_context == 0) rope.original_context = config.context_length;
  if (rope.type != Type::kYarn) return;
  rope.beta_fast = reader.Number({"rope.scaling.yarn_beta_fast", ""}).value_or(rope.beta_fast);
  rope.beta_slow = reader.Number({"rope.scaling.yarn_beta_slow", ""}).value_or(rope.beta_slow);
  // The file's factor multiplies the one that YaRN derives.
  if (const auto extra = reader.Number({"rope.scaling.attn_factor", ""}); extra && *extra != 1.0) {
    rope.attention_factor = *extra * (rope.factor > 1.0 ? 0.1 * std::log(rope.factor) + 1.0 : 1.0);
  }
}

/// One object of rope settings in a config.json.
class Parameters {
 public:
  Parameters(ConfigReader& reader, const Json& object) : reader_(reader), object_(object) {}

  std::optional<double> Number(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) return std::nullopt;
    if (found->is_number() && std::isfinite(found->get<double>())) return found->get<double>();
    reader_.Refuse(std::string("has a ") + key + " that is not a finite number", kScalingKey);
    return std::nullopt;
  }

  std::optional<std::string> Text(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) return std::nullopt;
    if (found->is_string()) return found->get<std::string>();
    reader_.Refuse(std::string("has a ") + key + " that is not text", kScalingKey);
    return std::nullopt;
  }

  std::size_t Size(const char* key) const {
    const auto number = Number(key);
    if (!number) return 0;
    if (*number >= 1 && *number <= 0x1p40 && *number == std::floor(*number)) {
      return static_cast<std::size_t>(*number);
    }
    reader_.Refuse(std::string("has a ") + key + " that is not a count of tokens", kScalingKey);
    return 0;
  }

  bool Flag(const char* key, bool otherwise) const {
    const auto found = object_.find(key);
    return found != object_.end() && found->is_boolean() ? found->get<bool>() : otherwise;
  }

 private:
  ConfigReader& reader_;
  const Json& object_;
};

void ReadHfParameters(ConfigReader& reader, const ModelConfig& config, const Parameters& from,
                      RopeConfig& rope) {
  auto type = from.Text("rope_type");
  if (!type) type = from.Text("type");
  if (type) SetType(reader, *type, rope);
  if (const auto theta = from.Number("rope_theta")) rope.theta = *theta;
  if (rope.type == Type::kDefault) return;
  const auto factor = from.Number("factor");
  rope.original_context = reader.Size({"", "original_max_position_embeddings"}, 1ull << 40);
  if (rope.original_context == 0) {
    rope.original_context = from.Size("original_max_position_embeddings");
  }
  if (rope.original_context == 0 || rope.type == Type::kDynamic) {
    rope.original_context = config.context_length;
  }
  if (factor) {
    rope.factor = *factor;
  } else if (rope.type == Type::kYarn) {
    rope.factor =
        static_cast<double>(config.context_length) / static_cast<double>(rope.original_context);
  } else {
    reader.Refuse("has no factor", kScalingKey);
  }
  // 2^20 tokens of context would want no more; the inverse must be an ordinary number, too.
  if (rope.factor < 0x1p-20 || rope.factor > 0x1p20) {
    reader.Refuse("has a factor that no context needs", kScalingKey);
  }
  if (rope.type == Type::kLlama3 &&
      !(from.Number("low_freq_factor") && from.Number("high_freq_factor"))) {
    reader.Refuse("has no low_freq_factor or no high_freq_factor", kScalingKey);
  }
  rope.low_freq_factor = from.Number("low_freq_factor").value_or(rope.low_freq_factor);
  rope.high_freq_factor = from.Number("high_freq_factor").value_or(rope.high_freq_factor);
  const auto beta_fast = from.Number("beta_fast");
  if (beta_fast && *beta_fast != 0.0) rope.beta_fast = *beta_fast;
  const auto beta_slow = from.Number("beta_slow");
  if (beta_slow && *beta_slow != 0.0) rope.beta_slow = *beta_slow;
  rope.attention_factor = from.Number("attention_factor").value_or(0.0);
  rope.mscale = from.Number("mscale").value_or(0.0);
  rope.mscale_all_dim = from.Number("mscale_all_dim").value_or(0.0);
  rope.truncate = from.Flag("truncate", true);
}

/// The object that holds for the layers asked for, or nullptr.
const Json* FindHfParameters(ConfigReader& reader, const RopeSource& source) {
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const auto object = reader.json().find(key);
    if (object == reader.json().end() || object->is_null()) continue;
    if (!object->is_object()) {
      reader.Refuse("is not an object", {"", key});
      continue;
    }
    const auto nested = object->find(source.layer_type);
    if (nested != object->end() && nested->is_object()) return &*nested;
    if (source.scaled && !object->contains("full_attention")) return &*object;
  }
  return nullptr;
}

/// In our families Transformers rotates whole heads, whatever this key says.
void RefusePart(ConfigReader& reader) {
  reader.Refuse("is not 1", {"", "partial_rotary_factor"},
                "this family is supported with heads that are rotated as a whole");
}

}  // namespace

RopeConfig ReadRope(ConfigReader& reader, const ModelConfig& config, const RopeSource& source) {
  RopeConfig rope;
  rope.rotary_dims = config.head_dim;
  rope.theta = reader.Number(source.theta).value_or(source.default_theta);
  if (reader.is_gguf()) {
    const std::size_t dims = reader.Size({"rope.dimension_count", ""}, 1 << 20);
    if (dims != 0) rope.rotary_dims = dims;
    if (source.scaled) ReadGgufScaling(reader, config, rope);
  } else {
    if (const Json* object = FindHfParameters(reader, source)) {
      const Parameters parameters(reader, *object);
      ReadHfParameters(reader, config, parameters, rope);
      if (parameters.Number("partial_rotary_factor").value_or(1.0) != 1.0) RefusePart(reader);
    }
    if (reader.Number({"", "partial_rotary_factor"}).value_or(1.0) != 1.0) RefusePart(reader);
  }
  if (rope.rotary_dims > config.head_dim || rope.rotary_dims % 2 != 0) {
    reader.Refuse("is not an even number of dimensions within a head",
                  {"rope.dimension_count", "head_dim"});
  }
  return rope;
}

}  // namespace ergo::model
