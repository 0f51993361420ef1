#include "tokenizer/gguf_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/utf8.h"

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
constexpr std::string_view kBloom =
    R"( ?[^(\s|[.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C}])]+)";
constexpr std::string_view kDeepSeekCjk =
    R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)";
constexpr std::string_view kDeepSeekV3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293})"
    R"(\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A})"
    R"(\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556})"
    R"(\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF})"
    R"(\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D})"
    R"(\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-)"
    R"(\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC})"
    R"(\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128})"
    R"(\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E})"
    R"(\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3})"
    R"(\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E})"
    R"(\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})"
    R"(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-)"
    R"(\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";
constexpr std::string_view kDeepSeekPunctuation =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
constexpr std::string_view kDeepSeekHan =
    R"([\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";

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
    return Fail(fmt::format("pre-tokenizer {} is not known", QuoteForMessage(name, 60)),
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
