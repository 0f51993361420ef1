#include "generate/default_sampling.h"

#include <cmath>
#include <optional>
#include <string>

namespace ergo::generate {
namespace {

/// One place that holds numbers under names.
class Source {
 public:
  explicit Source(const formats::ModelFiles& files) : files_(files) {}

  /// Absent and null are nullopt.
  Result<std::optional<double>> Number(const char* json_key, const char* gguf_key) const {
    std::optional<double> value;
    if (is_gguf()) {
      const auto found = files_.gguf.find(std::string("general.sampling.") + gguf_key);
      if (found == files_.gguf.end()) return value;
      value = found->second.Float();
      if (!value) {
        if (const auto integer = found->second.Int()) value = static_cast<double>(*integer);
      }
      if (!value) return Fail("is not a number", Where(gguf_key), "correct or remove it");
      return value;
    }
    const Json* found = Member(json_key);
    if (found == nullptr || found->is_null()) return value;
    if (!found->is_number())
      return Fail("is not a number", Where(json_key), "correct or remove it");
    value = found->get<double>();
    return value;
  }

  Result<std::optional<bool>> Flag(const char* json_key) const {
    const Json* found = is_gguf() ? nullptr : Member(json_key);
    if (found == nullptr || found->is_null()) return std::optional<bool>();
    if (!found->is_boolean()) {
      return Fail("is neither true nor false", Where(json_key), "correct or remove it");
    }
    return std::optional<bool>(found->get<bool>());
  }

  std::string Where(const char* key = nullptr) const {
    std::string where = files_.path;
    if (!is_gguf()) where += "/generation_config.json";
    if (key != nullptr) where += std::string(": ") + (is_gguf() ? "general.sampling." : "") + key;
    return where;
  }

 private:
  bool is_gguf() const { return files_.kind == formats::ModelFiles::Kind::kGguf; }

  const Json* Member(const char* key) const {
    if (!files_.generation_config || !files_.generation_config->is_object()) return nullptr;
    const auto found = files_.generation_config->find(key);
    return found == files_.generation_config->end() ? nullptr : &*found;
  }

  const formats::ModelFiles& files_;
};

}  // namespace

Result<runtime::SamplingParams> ReadDefaultSampling(const formats::ModelFiles& files) {
  const Source source(files);
  runtime::SamplingParams params;
  bool asks_to_sample = false;
  struct Field {
    const char* json_key;
    const char* gguf_key;
    float* target;
    bool samples;  ///< has no meaning for greedy decoding
  };
  const Field fields[] = {
      {"temperature", "temp", &params.temperature, true},
      {"top_p", "top_p", &params.top_p, true},
      {"min_p", "min_p", &params.min_p, true},
      {"typical_p", "typical_p", &params.typical_p, true},
      {"repetition_penalty", "penalty_repeat", &params.repetition_penalty, false},
  };
  for (const Field& field : fields) {
    const auto value = source.Number(field.json_key, field.gguf_key);
    if (!value) return tl::unexpected(value.error());
    if (!*value) continue;
    *field.target = static_cast<float>(**value);
    asks_to_sample |= field.samples;
  }
  const auto k = source.Number("top_k", "top_k");
  if (!k) return tl::unexpected(k.error());
  if (*k) {
    if (!(**k >= 0 && **k <= 0x7FFFFFFF) || std::trunc(**k) != **k) {
      return Fail("is not a count", source.Where("top_k"), "correct or remove it");
    }
    params.top_k = static_cast<int>(**k);
    asks_to_sample = true;
  }
  const auto do_sample = source.Flag("do_sample");
  if (!do_sample) return tl::unexpected(do_sample.error());
  if (!do_sample->value_or(asks_to_sample)) params.temperature = 0.0f;
  if (auto valid = params.Validate(); !valid) {
    return Fail(valid.error().what, source.Where(), valid.error().remedy);
  }
  return params;
}

}  // namespace ergo::generate
