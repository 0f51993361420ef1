// A tokenizer from the keys of a GGUF file.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/utf8.h"
#include "tokenizer/bpe.h"
#include "tokenizer/gguf_words.h"
#include "tokenizer/parts.h"

namespace ergo::tokenizer {
namespace {

using formats::GgufValue;

constexpr std::string_view kPrefix = "tokenizer.ggml.";
constexpr std::string_view kSpaceMark = "\u2581";
constexpr std::string_view kFetchAgain = "the file is damaged; fetch it again";

class Loader {
 public:
  explicit Loader(const formats::ModelFiles& files) : files_(files), where_(files.path) {}

  Result<Parts> Load() {
    const auto model = String("model");
    if (!model) {
      return Fail("holds no tokenizer", At("model"), "use a GGUF file that has its vocabulary");
    }
    architecture_ = String(files_.gguf, "general.architecture").value_or("");
    if (auto read = ReadTokens(); !read) return tl::unexpected<Error>(std::move(read.error()));
    Status made;
    if (*model == "gpt2") {
      made = MakeByteLevel();
    } else if (*model == "llama" || *model == "gemma4") {
      made = MakeSentencePiece();
    } else {
      made = Fail(fmt::format("tokenizer model {} is not supported", QuoteForMessage(*model, 40)),
                  At("model"), "byte-level BPE (gpt2) and SentencePiece BPE (llama) are");
    }
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    if (auto read = ReadSpecials(); !read) return tl::unexpected<Error>(std::move(read.error()));
    FindAddedTokens();
    if (const auto text = String(files_.gguf, "tokenizer.chat_template")) {
      parts_.chat_template = std::string(*text);
    }
    CompleteEndOfGeneration(&parts_);
    return std::move(parts_);
  }

 private:
  std::string At(std::string_view key) const {
    return fmt::format("{}: {}{}", where_, kPrefix, key);
  }

  const GgufValue* Value(std::string_view key) const {
    const auto it = files_.gguf.find(std::string(kPrefix) + std::string(key));
    return it == files_.gguf.end() ? nullptr : &it->second;
  }

  static std::optional<std::string_view> String(const formats::GgufMetadata& gguf,
                                                std::string_view key) {
    const auto it = gguf.find(key);
    return it == gguf.end() ? std::nullopt : it->second.String();
  }
  std::optional<std::string_view> String(std::string_view key) const {
    const GgufValue* value = Value(key);
    return value == nullptr ? std::nullopt : value->String();
  }

  bool Flag(std::string_view key, bool otherwise) const {
    const GgufValue* value = Value(key);
    return value == nullptr ? otherwise : value->Bool().value_or(otherwise);
  }

  bool IsGemma() const { return architecture_.starts_with("gemma"); }

  Status ReadTokens() {
    const GgufValue* tokens = Value("tokens");
    auto strings = tokens == nullptr ? std::nullopt : tokens->Strings();
    if (!strings || strings->empty()) {
      return Fail("no array of strings", At("tokens"), "use a GGUF file that has its vocabulary");
    }
    tokens_ = std::move(*strings);
    if (tokens_.size() > VocabularyMerges::kMaxTokens) return Fail("too long", At("tokens"));
    types_.assign(tokens_.size(), TokenType::kNormal);
    if (const GgufValue* types = Value("token_type")) {
      const auto numbers = types->Ints();
      if (!numbers || numbers->size() != tokens_.size()) {
        return Fail(fmt::format("not one type for each of {} tokens", tokens_.size()),
                    At("token_type"), std::string(kFetchAgain));
      }
      for (std::size_t i = 0; i < types_.size(); ++i) {
        const std::int64_t type = (*numbers)[i];
        if (type < 0 || type > 6) {
          return Fail(fmt::format("token {} has the unknown type {}", i, type), At("token_type"));
        }
        if (type != 0) types_[i] = static_cast<TokenType>(type);
      }
    }
    return {};
  }

  /// Gemma's files write tokens of several spaces with plain spaces, its merges do not.
  void RespellSpaces() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const std::string_view token = tokens_[i];
      if (token.size() < 2 || token.find_first_not_of(' ') != std::string_view::npos) continue;
      std::string& spelled = respelled_.emplace_back();
      for (std::size_t n = 0; n < token.size(); ++n) spelled += kSpaceMark;
      respelled_ids_.push_back(i);
    }
    for (std::size_t i = 0; i < respelled_.size(); ++i) tokens_[respelled_ids_[i]] = respelled_[i];
  }

  Status BuildVocabulary() {
    std::vector<Vocabulary::Entry> entries(tokens_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      entries[i] = {tokens_[i], static_cast<TokenId>(i)};
    }
    auto built = Vocabulary::Build(entries, At("tokens"));
    if (!built) return Fail(std::move(built));
    parts_.vocabulary = std::make_shared<const Vocabulary>(std::move(*built));
    return {};
  }

  Result<MergeTable> ReadMerges() {
    const GgufValue* value = Value("merges");
    const auto lines = value == nullptr ? std::nullopt : value->Strings();
    if (!lines) {
      return Fail("no array of strings", At("merges"), "use a GGUF file that has its merges");
    }
    std::vector<MergeRule> rules;
    rules.reserve(lines->size());
    for (const std::string_view line : *lines) {
      const std::size_t space = line.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == line.size()) {
        return Fail(fmt::format("merge {} ({}) is not two strings", rules.size(),
                                QuoteForMessage(line, 40)),
                    At("merges"), std::string(kFetchAgain));
      }
      rules.push_back({line.substr(0, space), line.substr(space + 1)});
    }
    return BuildMergeTable(*parts_.vocabulary, rules, "", At("merges"));
  }

  Status MakeByteLevel() {
    auto words = FindGgufWords(String("pre").value_or("default"), where_);
    if (!words) return Fail(std::move(words));
    if (auto built = BuildVocabulary(); !built) return built;
    auto merges = ReadMerges();
    if (!merges) return Fail(std::move(merges));
    BpeOptions options;
    options.bytes = words->pre_tokenizer.ends_in_bytes();
    options.ignore_merges = words->ignore_merges;
    parts_.model = std::make_unique<BpeModel>(parts_.vocabulary, std::move(*merges), options);
    parts_.normalizer = std::move(words->normalizer);
    parts_.pre_tokenizer = std::move(words->pre_tokenizer);
    parts_.decoder = Decoder({Decoder::ByteLevel{}});
    adds_bos_by_default_ = words->adds_bos;
    return {};
  }

  /// Merge order of each token. Gemma's is the order of the vocabulary; elsewhere the scores give
  /// it (SentencePiece: the highest first).
  Result<VocabularyMerges> RankTokens() {
    std::vector<std::uint32_t> ranks(tokens_.size());
    std::iota(ranks.begin(), ranks.end(), 0u);
    if (IsGemma()) return VocabularyMerges(std::move(ranks));
    const GgufValue* value = Value("scores");
    const auto scores = value == nullptr ? std::nullopt : value->Floats();
    if (!scores || scores->size() != tokens_.size()) {
      return Fail(fmt::format("not one score for each of {} tokens", tokens_.size()), At("scores"),
                  std::string(kFetchAgain));
    }
    if (std::any_of(scores->begin(), scores->end(), [](float s) { return s != s; })) {
      return Fail("a score is not a number", At("scores"), std::string(kFetchAgain));
    }
    std::vector<std::uint32_t> order = ranks;
    const auto better = [&](std::uint32_t a, std::uint32_t b) {
      return (*scores)[a] > (*scores)[b];
    };
    if (!std::is_sorted(order.begin(), order.end(), better)) {
      std::stable_sort(order.begin(), order.end(), better);
    }
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && better(order[i - 1], order[i])) ++rank;
      ranks[order[i]] = rank;
    }
    return VocabularyMerges(std::move(ranks));
  }

  Status MakeSentencePiece() {
    if (IsGemma()) RespellSpaces();
    if (auto built = BuildVocabulary(); !built) return built;
    const bool prefix = Flag("add_space_prefix", !IsGemma());
    std::vector<Normalizer::Step> steps;
    if (prefix) steps.emplace_back(PrependStep{std::string(kSpaceMark)});
    steps.emplace_back(ReplaceStep{std::string(" "), std::string(kSpaceMark)});
    parts_.normalizer = Normalizer(std::move(steps));
    std::vector<Decoder::Step> decoding;
    decoding.emplace_back(ReplaceStep{std::string(kSpaceMark), std::string(" ")});
    decoding.emplace_back(Decoder::ByteFallback{});
    parts_.decoder = Decoder(std::move(decoding), prefix ? 1 : 0);
    BpeOptions options;
    options.byte_fallback = true;
    options.fuse_unknown = true;
    auto unknown = ReadId("unknown_token_id");
    if (!unknown) return Fail(std::move(unknown));
    if (*unknown) options.unknown = **unknown;
    adds_bos_by_default_ = true;
    if (Value("merges") != nullptr) {
      auto merges = ReadMerges();
      if (!merges) return Fail(std::move(merges));
      parts_.model = std::make_unique<BpeModel>(parts_.vocabulary, std::move(*merges), options);
      return {};
    }
    auto merges = RankTokens();
    if (!merges) return Fail(std::move(merges));
    parts_.model = std::make_unique<BpeModel>(parts_.vocabulary, std::move(*merges), options);
    return {};
  }

  /// A token id; nothing where the file has none or says so with all bits set.
  Result<std::optional<TokenId>> ReadId(std::string_view key) const {
    const GgufValue* value = Value(key);
    if (value == nullptr) return std::nullopt;
    const auto id = value->Int();
    if (id && (*id == -1 || *id == 0xFFFFFFFF)) return std::nullopt;
    if (!id || *id < 0 || static_cast<std::uint64_t>(*id) >= tokens_.size()) {
      return Fail(fmt::format("not an id of the vocabulary of {}", tokens_.size()), At(key),
                  std::string(kFetchAgain));
    }
    return static_cast<TokenId>(*id);
  }

  Status ReadSpecials() {
    for (const auto& [key, place] :
         {std::pair{"bos_token_id", &parts_.bos}, std::pair{"eos_token_id", &parts_.eos}}) {
      auto id = ReadId(key);
      if (!id) return Fail(std::move(id));
      *place = *id;
    }
    for (const std::string_view key : {"eot_token_id", "eom_token_id"}) {
      auto id = ReadId(key);
      if (!id) return Fail(std::move(id));
      if (*id) parts_.end_of_generation.push_back(**id);
    }
    if (Flag("add_bos_token", adds_bos_by_default_) && parts_.bos) {
      parts_.post_processor.prefix.push_back(*parts_.bos);
    }
    if (Flag("add_eos_token", false) && parts_.eos) {
      parts_.post_processor.suffix.push_back(*parts_.eos);
    }
    return {};
  }

  /// Control and unknown tokens are special; user-defined ones are text that is never cut.
  void FindAddedTokens() {
    parts_.special.assign(tokens_.size(), 0);
    std::vector<AddedToken> added;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const TokenType type = types_[i];
      const bool special = type == TokenType::kControl || type == TokenType::kUnknown;
      parts_.special[i] = special ? 1 : 0;
      if (!special && type != TokenType::kUserDefined) continue;
      AddedToken token;
      token.content = std::string(tokens_[i]);
      token.id = static_cast<TokenId>(i);
      token.special = special;
      // Phi-3's tokens take the white space behind them, which a GGUF can't say.
      token.rstrip = architecture_ == "phi3" && token.content != "<unk>" &&
                     token.content != "<s>" && token.content != "<|endoftext|>";
      added.push_back(std::move(token));
    }
    // Respelled tokens are ordinary results of merges.
    if (!respelled_ids_.empty()) {
      std::erase_if(added, [&](const AddedToken& token) {
        return std::binary_search(respelled_ids_.begin(), respelled_ids_.end(),
                                  static_cast<std::size_t>(token.id));
      });
    }
    parts_.added = AddedTokenFinder(std::move(added));
  }

  const formats::ModelFiles& files_;
  std::string where_;
  std::string_view architecture_;
  std::vector<std::string_view> tokens_;
  std::vector<TokenType> types_;
  std::vector<std::string> respelled_;
  std::vector<std::size_t> respelled_ids_;
  bool adds_bos_by_default_ = false;
  Parts parts_;
};

}  // namespace

Result<Parts> LoadGgufParts(const formats::ModelFiles& files) { return Loader(files).Load(); }

}  // namespace ergo::tokenizer
