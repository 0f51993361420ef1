#include "tokenizer/gguf_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace ergo::tokenizer {
namespace {

// The expressions of the models' own tokenizer.json files.
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kBloom = R"( ?[^(\s|[.,!?…。，、।۔،])]+)";
constexpr std::string_view kDeepSeekCjk = "[一-龥぀-ゟ゠-ヿ]+";
constexpr std::string_view kDeepSeekV3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekLetters =
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-"
    "Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-"
    "ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
constexpr std::string_view kDeepSeekPunctuation = "\\s?[!-/:-~！-／：-～‘-‟　-。]+";
constexpr std::string_view kDeepSeekHan = "[一-龥ࠀ-一가-퟿]+";

struct StepSpec {
  enum class Kind { kSplit, kDigit, kDigits, kPunctuation, kGpt2Bytes, kBytes };
  Kind kind;
  std::string_view regex = {};
};
using Kind = StepSpec::Kind;

constexpr auto kGpt2Words = std::array{StepSpec{Kind::kGpt2Bytes}};
constexpr auto kDigitWords = std::array{StepSpec{Kind::kDigit}, StepSpec{Kind::kGpt2Bytes}};
constexpr auto kFalconWords =
    std::array{StepSpec{Kind::kPunctuation}, StepSpec{Kind::kGpt2Bytes}, StepSpec{Kind::kDigits},
               StepSpec{Kind::kSplit, "[0-9][0-9][0-9]"}};
constexpr auto kDeepSeekLlmWords = std::array{StepSpec{Kind::kSplit, "[\r\n]"},
                                              StepSpec{Kind::kSplit, kDeepSeekLetters},
                                              StepSpec{Kind::kSplit, kDeepSeekPunctuation},
                                              StepSpec{Kind::kSplit, "\\s+$"},
                                              StepSpec{Kind::kSplit, kDeepSeekHan},
                                              StepSpec{Kind::kDigit},
                                              StepSpec{Kind::kBytes}};
constexpr auto kDeepSeekCoderWords = std::array{StepSpec{Kind::kSplit, "[\r\n]"},
                                                StepSpec{Kind::kSplit, "\\s?\\p{L}+"},
                                                StepSpec{Kind::kSplit, "\\s?\\p{P}+"},
                                                StepSpec{Kind::kSplit, kDeepSeekHan},
                                                StepSpec{Kind::kDigit},
                                                StepSpec{Kind::kBytes}};
constexpr auto kDeepSeekV3Words =
    std::array{StepSpec{Kind::kSplit, "\\p{N}{1,3}"}, StepSpec{Kind::kSplit, kDeepSeekCjk},
               StepSpec{Kind::kSplit, kDeepSeekV3}, StepSpec{Kind::kBytes}};
constexpr auto kBloomWords = std::array{StepSpec{Kind::kSplit, kBloom}, StepSpec{Kind::kBytes}};
constexpr auto kVikingWords =
    std::array{StepSpec{Kind::kSplit, kBloom}, StepSpec{Kind::kDigit}, StepSpec{Kind::kBytes}};

/// A regular expression, then bytes.
constexpr std::array<StepSpec, 2> Words(std::string_view regex) {
  return {StepSpec{Kind::kSplit, regex}, StepSpec{Kind::kBytes}};
}
const auto kLlama3Words = Words(PatternOf(ScannerKind::kLlama3));
const auto kQwen2Words = Words(PatternOf(ScannerKind::kQwen2));
constexpr auto kGpt4oWords = Words(kGpt4o);
constexpr auto kTekkenWords = Words(kTekken);
constexpr auto kQwen35Words = Words(kQwen35);
constexpr auto kSeedCoderWords = Words(kSeedCoder);
constexpr auto kBailingWords = Words(kBailing);

/// Flags of a row.
enum : unsigned { kPlain = 0, kNfc = 1, kWholeWords = 2, kBos = 4 };

struct Row {
  std::string_view names;  ///< between spaces
  std::span<const StepSpec> steps;
  unsigned flags;
};

std::span<const Row> Table() {
  static const auto rows = std::array{
      Row{" default gpt-2 phi-2 gigachat jina-es jina-de jina-v2-es jina-v2-de jina-v1-en "
          "jina-v2-code roberta-bpe a.x-4.0 mellum exaone4 jais trillion granite-docling ",
          kGpt2Words, kPlain},
      Row{" mpt olmo modern-bert ", kGpt2Words, kNfc},
      Row{" smollm starcoder refact codeshell exaone minerva-7b mellum2 ", kDigitWords, kPlain},
      Row{" command-r ", kDigitWords, kNfc},
      Row{" falcon ", kFalconWords, kPlain},
      Row{" llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano ",
          kLlama3Words, kWholeWords | kBos},
      Row{" dbrx smaug-bpe chatglm-bpe ", kLlama3Words, kPlain},
      Row{" glm4 ", kLlama3Words, kWholeWords},
      Row{" qwen2 deepseek-r1-qwen kormo f2llmv2 megrez ", kQwen2Words, kNfc},
      Row{" stablelm2 hunyuan solar-open grok-2 ", kQwen2Words, kPlain},
      Row{" qwen35 ", kQwen35Words, kNfc},
      Row{" deepseek-llm ", kDeepSeekLlmWords, kPlain},
      Row{" deepseek-coder ", kDeepSeekCoderWords, kPlain},
      Row{" deepseek-v3 hunyuan-dense joyai-llm ", kDeepSeekV3Words, kPlain},
      Row{" gpt-4o llama4 kanana2 talkie minimax-m2 ", kGpt4oWords, kPlain},
      Row{" tekken ", kTekkenWords, kWholeWords | kBos},
      Row{" seed-coder ", kSeedCoderWords, kPlain},
      Row{" bailingmoe bailingmoe2 llada-moe ", kBailingWords, kPlain},
      Row{" bloom poro-chat gpt3-finnish ", kBloomWords, kPlain},
      Row{" viking ", kVikingWords, kPlain},
  };
  return rows;
}

Result<PreTokenizer::Step> MakeStep(const StepSpec& spec, const std::string& where) {
  SplitStep split{CharRule::kNumeric, SplitBehavior::kIsolated, false};
  switch (spec.kind) {
    case Kind::kSplit: {
      auto pattern = MakeSplitPattern(spec.regex, where);
      if (!pattern) return Fail(std::move(pattern));
      split.pattern = std::move(*pattern);
      break;
    }
    case Kind::kDigit:
      break;
    case Kind::kDigits:
      split.behavior = SplitBehavior::kContiguous;
      break;
    case Kind::kPunctuation:
      split.pattern = CharRule::kPunctuation;
      split.behavior = SplitBehavior::kContiguous;
      break;
    case Kind::kGpt2Bytes:
      return ByteLevelStep{false, true};
    case Kind::kBytes:
      return ByteLevelStep{false, false};
  }
  return split;
}

}  // namespace

Result<GgufWords> FindGgufWords(std::string_view name, const std::string& where) {
  const std::string between_spaces = fmt::format(" {} ", name);
  const auto rows = Table();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
    return candidate.names.find(between_spaces) != std::string_view::npos;
  });
  if (row == rows.end() || name.empty() || name.find(' ') != std::string_view::npos) {
    return Fail(fmt::format("pre-tokenizer \"{}\" is not known", name.substr(0, 60)),
                where + ": tokenizer.ggml.pre",
                "use the model's Hugging Face folder, whose tokenizer.json says how to split");
  }
  GgufWords words;
  if ((row->flags & kNfc) != 0) words.normalizer = Normalizer({NormalForm::kNfc});
  words.ignore_merges = (row->flags & kWholeWords) != 0;
  words.adds_bos = (row->flags & kBos) != 0;
  std::vector<PreTokenizer::Step> steps;
  for (const StepSpec& spec : row->steps) {
    auto step = MakeStep(spec, where);
    if (!step) return Fail(std::move(step));
    steps.push_back(std::move(*step));
  }
  words.pre_tokenizer = PreTokenizer(std::move(steps));
  return words;
}

}  // namespace ergo::tokenizer
