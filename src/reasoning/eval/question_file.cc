#include "reasoning/eval/question_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/mapped_file.h"
#include "base/text.h"
#include "base/utf8.h"
#include "reasoning/eval/judges.h"
#include "reasoning/eval/number.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::size_t kLargestFile = std::size_t{256} << 20;
constexpr std::size_t kLongestText = std::size_t{64} << 10;
constexpr std::size_t kMostOptions = 26;

Result<std::vector<FileRecord>> ReadArray(std::string_view text, const std::string& path,
                                          std::size_t count) {
  Result<Json> parsed = ParseJson(text, path);
  if (!parsed) return Fail(std::move(parsed));
  std::vector<FileRecord> records;
  for (Json& fields : *parsed) {
    if (records.size() == count) break;
    FileRecord record;
    record.number = records.size() + 1;
    record.place = fmt::format("{}: item {}", path, record.number);
    if (!fields.is_object()) return Fail("not a JSON object", record.place);
    record.fields = std::move(fields);
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::vector<FileRecord>> ReadLines(std::string_view text, const std::string& path,
                                          std::size_t count) {
  std::vector<FileRecord> records;
  for (std::size_t number = 1; !text.empty() && records.size() < count; ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    FileRecord record;
    record.number = number;
    record.place = fmt::format("{}:{}", path, number);
    Result<Json> parsed = ParseJson(line, record.place);
    if (!parsed) return Fail(std::move(parsed));
    if (!parsed->is_object()) return Fail("not a JSON object", record.place);
    record.fields = std::move(*parsed);
    records.push_back(std::move(record));
  }
  return records;
}

/// "True" of "A) True"; an option without a letter as it stands.
std::string OptionText(const std::string& option) {
  const bool lettered = option.size() > 2 && std::isupper(static_cast<unsigned char>(option[0])) &&
                        (option[1] == ')' || option[1] == '.');
  return std::string(Trimmed(std::string_view(option).substr(lettered ? 2 : 0)));
}

}  // namespace

Result<std::vector<FileRecord>> ReadRecords(const std::string& path, std::size_t count) {
  const Result<std::string> text = ReadFile(path, kLargestFile);
  if (!text) return tl::unexpected(text.error());
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  std::string_view rest = *text;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  return Trimmed(rest).starts_with('[') ? ReadArray(rest, path, count)
                                        : ReadLines(rest, path, count);
}

Result<std::string> TextField(const FileRecord& record, const std::string& name) {
  const auto field = record.fields.find(name);
  if (field == record.fields.end()) return Fail("no field " + name, record.place);
  if (!field->is_string()) return Fail("field " + name + " is not text", record.place);
  const std::string& text = field->get_ref<const std::string&>();
  if (text.empty()) return Fail("field " + name + " is empty", record.place);
  if (text.size() > kLongestText) {
    return Fail(fmt::format("field {} is over {} bytes long", name, kLongestText), record.place);
  }
  return text;
}

std::string OptionalText(const FileRecord& record, const std::string& name) {
  const auto field = record.fields.find(name);
  return field != record.fields.end() && field->is_string() ? field->get<std::string>() : "";
}

Result<std::vector<std::string>> TextsField(const FileRecord& record, const std::string& name) {
  const auto field = record.fields.find(name);
  if (field == record.fields.end()) return Fail("no field " + name, record.place);
  if (!field->is_array()) return Fail("field " + name + " is not a list", record.place);
  std::vector<std::string> texts;
  for (const Json& entry : *field) {
    if (!entry.is_string()) return Fail("field " + name + " holds more than text", record.place);
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

Result<std::vector<Item>> LoadFile(const Selection& selection, std::string_view family,
                                   Result<Item> (*make)(const FileRecord&, const Selection&)) {
  if (!selection.options.empty()) {
    return Fail("no such option: " + selection.options.front(), std::string(family));
  }
  if (selection.file.empty()) {
    return Fail("the questions come from a file, and none is given", std::string(family),
                fmt::format("--data {}=FILE", family));
  }
  const Result<std::vector<FileRecord>> records = ReadRecords(selection.file, selection.count);
  if (!records) return tl::unexpected(records.error());
  if (records->empty()) return Fail("there is no question in it", selection.file);
  std::vector<Item> items;
  std::set<std::string> ids;
  for (const FileRecord& record : *records) {
    Result<Item> item = make(record, selection);
    if (!item) return Fail(std::move(item));
    if (!ids.insert(item->id).second) item->id += fmt::format("#{}", record.number);
    items.push_back(std::move(*item));
  }
  return items;
}

Result<Item> OptionItem(const FileRecord& record, std::string_view id) {
  Item item;
  item.id = OptionalText(record, "id");
  if (item.id.empty()) item.id = fmt::format("{}-{}", id, record.number);
  Result<std::string> context = TextField(record, "context");
  if (!context) return Fail(std::move(context));
  Result<std::string> text = TextField(record, "question");
  if (!text) return Fail(std::move(text));
  Result<std::string> letter = TextField(record, "answer");
  if (!letter) return Fail(std::move(letter));
  Result<std::vector<std::string>> options = TextsField(record, "options");
  if (!options) return Fail(std::move(options));
  if (options->size() < 2 || options->size() > kMostOptions) {
    return Fail("field options does not hold 2 to 26 options", record.place);
  }
  for (std::string& option : *options) option = OptionText(option);
  const auto right = static_cast<std::size_t>(static_cast<unsigned char>(letter->front()) - 'A');
  if (letter->size() != 1 || right >= options->size()) {
    return Fail("field answer is not the letter of an option", record.place);
  }
  item.question.context = std::move(*context);
  item.question.text = std::move(*text);
  item.question.options = std::move(*options);
  item.question.kind = AnswerKind::kChoice;
  item.expected = item.question.options[right];
  item.judge = JudgeOption(item.question.options, right);
  return item;
}

}  // namespace ergo::reasoning::eval
