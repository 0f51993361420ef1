#include "reasoning/eval/record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/content_hash.h"
#include "base/mapped_file.h"
#include "base/utf8.h"

namespace ergo::reasoning::eval {

namespace {

constexpr int kVersion = 1;
constexpr std::size_t kLargestJournal = std::size_t{1} << 30;
/// Of an answer's value, in the file: enough for a person to see what it was.
constexpr std::size_t kLongestValue = 4096;

bool ReadText(const OrderedJson& json, const char* name, std::string* text) {
  const auto field = json.find(name);
  if (field == json.end() || !field->is_string()) return false;
  *text = field->get<std::string>();
  return true;
}

bool ReadCount(const OrderedJson& json, const char* name, std::size_t* count) {
  const auto field = json.find(name);
  if (field == json.end() || !field->is_number_unsigned()) return false;
  *count = field->get<std::size_t>();
  return true;
}

bool ReadSeconds(const OrderedJson& json, const char* name, double* seconds) {
  const auto field = json.find(name);
  if (field == json.end() || !field->is_number()) return false;
  *seconds = field->get<double>();
  return *seconds >= 0;
}

/// The first setting in which two headers differ.
std::string Difference(const OrderedJson& old_settings, const OrderedJson& settings) {
  for (const auto& [name, value] : settings.items()) {
    const auto old = old_settings.find(name);
    if (old == old_settings.end() || *old != value) {
      return fmt::format("{} was {}, and is now {}", name,
                         old == old_settings.end() ? "not set" : old->dump(), value.dump());
    }
  }
  return "";
}

}  // namespace

std::string HashOf(const Question& question) {
  ContentHash hash;
  hash.AddSized(question.context);
  hash.AddSized(question.text);
  for (const std::string& option : question.options) hash.AddSized(option);
  return hash.Hex();
}

OrderedJson ToJson(const Record& record) {
  OrderedJson json;
  json["family"] = record.family;
  json["strategy"] = record.strategy;
  json["id"] = record.id;
  json["question"] = record.question;
  json["judgement"] = Name(record.judgement);
  std::string value = RepairUtf8(record.value);
  if (value.size() > kLongestValue) {
    value.resize(CompleteUtf8Prefix(std::string_view(value).substr(0, kLongestValue)));
  }
  json["value"] = value;
  if (record.confidence) json["confidence"] = *record.confidence;
  json["verified"] = record.verified;
  json["features"] = ToJson(record.features);
  json["tokens"] = record.tokens;
  json["calls"] = record.calls;
  json["seconds"] = record.seconds;
  json["wall"] = record.wall;
  if (!record.error.empty()) json["error"] = RepairUtf8(record.error);
  return json;
}

Result<Record> RecordFromJson(const OrderedJson& json, const std::string& where) {
  const auto wrong = [&](const char* name) {
    return Fail(fmt::format("field {} is missing or wrong", name), where);
  };
  Record record;
  std::string judgement;
  if (!json.is_object()) return Fail("not a JSON object", where);
  for (const auto& [name, target] : {std::pair{"family", &record.family},
                                     {"strategy", &record.strategy},
                                     {"id", &record.id},
                                     {"question", &record.question},
                                     {"judgement", &judgement},
                                     {"value", &record.value}}) {
    if (!ReadText(json, name, target)) return wrong(name);
  }
  bool known = false;
  for (const Judgement one : {Judgement::kRight, Judgement::kWrong, Judgement::kNone}) {
    if (judgement != Name(one)) continue;
    record.judgement = one;
    known = true;
  }
  if (!known) return wrong("judgement");
  for (const auto& [name, target] :
       {std::pair{"tokens", &record.tokens}, {"calls", &record.calls}}) {
    if (!ReadCount(json, name, target)) return wrong(name);
  }
  for (const auto& [name, target] :
       {std::pair{"seconds", &record.seconds}, {"wall", &record.wall}}) {
    if (!ReadSeconds(json, name, target)) return wrong(name);
  }
  const auto verified = json.find("verified");
  if (verified == json.end() || !verified->is_boolean()) return wrong("verified");
  record.verified = verified->get<bool>();
  if (const auto confidence = json.find("confidence"); confidence != json.end()) {
    const double value = confidence->is_number() ? confidence->get<double>() : -1;
    if (!(value >= 0 && value <= 1)) return wrong("confidence");
    record.confidence = value;
  }
  ReadText(json, "error", &record.error);
  const auto features = json.find("features");
  if (features == json.end()) return wrong("features");
  const Result<ConfidenceFeatures> read = FeaturesFromJson(*features, where);
  if (!read) return tl::unexpected(read.error());
  record.features = *read;
  return record;
}

Status Journal::Read(std::string_view text, const std::string& path, const OrderedJson& settings) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string where = fmt::format("{}:{}", path, number);
    const Result<OrderedJson> json = ParseOrderedJson(text.substr(0, end), where);
    if (!json) return Fail(json.error().what, where, "give another file");
    if (number == 1) {
      const auto version = json->is_object() ? json->find("ergo_eval") : json->end();
      if (version == json->end() || *version != kVersion) {
        return Fail("not a file of finished questions", path, "give another file");
      }
      const std::string difference = Difference(*json, settings);
      if (!difference.empty()) {
        return Fail("it was made with other settings: " + difference, path,
                    "give them, or another file");
      }
    } else {
      Result<Record> record = RecordFromJson(*json, where);
      if (!record) return tl::unexpected(record.error());
      Key key = {record->family, record->strategy, record->id};
      records_.insert_or_assign(std::move(key), std::move(*record));
    }
    text.remove_prefix(end + 1);
  }
  return {};
}

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& path,
                                               const OrderedJson& settings) {
  std::unique_ptr<Journal> journal(new Journal());
  journal->path_ = path;
  std::error_code error;
  bool begun = false;
  if (std::filesystem::exists(path, error)) {
    const Result<std::string> text = ReadFile(path, kLargestJournal);
    if (!text) return tl::unexpected(text.error());
    const std::size_t whole = text->rfind('\n') + 1;  // 0 if there is none
    // A file whose very first line is no header is somebody else's: it is not cut.
    if (whole == 0 && !text->empty() && !text->starts_with("{\"ergo_eval\"")) {
      return Fail("not a file of finished questions", path, "give another file");
    }
    if (Status read = journal->Read(std::string_view(*text).substr(0, whole), path, settings);
        !read) {
      return tl::unexpected(read.error());
    }
    begun = whole > 0;
    if (whole < text->size()) {
      std::filesystem::resize_file(path, whole, error);
      if (error) return Fail("cannot cut its last, broken line: " + error.message(), path);
    }
  }
  journal->file_ = std::fopen(path.c_str(), "ab");
  if (!journal->file_) return Fail(fmt::format("cannot write it: {}", std::strerror(errno)), path);
  if (!begun) {
    OrderedJson header;
    header["ergo_eval"] = kVersion;
    for (const auto& [name, value] : settings.items()) header[name] = value;
    const std::string line = header.dump() + '\n';
    if (std::fwrite(line.data(), 1, line.size(), journal->file_) != line.size() ||
        std::fflush(journal->file_) != 0) {
      return Fail("cannot write it", path, "is there room on the disk?");
    }
  }
  return journal;
}

Journal::~Journal() {
  if (file_) std::fclose(file_);
}

const Record* Journal::Find(std::string_view family, std::string_view strategy,
                            const Item& item) const {
  const auto found = records_.find(Key{std::string(family), std::string(strategy), item.id});
  if (found == records_.end() || found->second.question != HashOf(item.question)) return nullptr;
  return &found->second;
}

Status Journal::Write(const Record& record) {
  const std::string line = ToJson(record).dump() + '\n';
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0) {
    return Fail("cannot write it", path_, "is there room on the disk?");
  }
  return {};
}

}  // namespace ergo::reasoning::eval
