// Public files of questions: one JSON object on each line, or one array of objects.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {

struct FileRecord {
  std::string place;  ///< "FILE:12" or "FILE: item 12", for messages
  std::size_t number = 0;
  Json fields;
};

/// The first `count` records of the file. Errors: it cannot be read, is over 256 MiB, or a record
/// is no JSON object; they name the file and the line.
Result<std::vector<FileRecord>> ReadRecords(const std::string& path, std::size_t count);

/// A field that must be there and be text, not empty, of at most 64 KiB.
Result<std::string> TextField(const FileRecord& record, const std::string& name);
/// The same of a field that may be missing: then empty.
std::string OptionalText(const FileRecord& record, const std::string& name);
Result<std::vector<std::string>> TextsField(const FileRecord& record, const std::string& name);

/// Reads `selection.file` and makes an item of each record with `make`. Errors: no file is named,
/// options are given though the family has none, there is no question in the file.
Result<std::vector<Item>> LoadFile(const Selection& selection, std::string_view family,
                                   Result<Item> (*make)(const FileRecord&, const Selection&));

/// Of families in which one of several options is right: "A) True", "B) False", and the letter.
/// `id` is used if the record has none of its own.
Result<Item> OptionItem(const FileRecord& record, std::string_view id);

}  // namespace ergo::reasoning::eval
