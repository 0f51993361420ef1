// What became of one question, and the file that keeps it: an evaluation that was interrupted goes
// on where it ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "base/json.h"
#include "base/result.h"
#include "reasoning/eval/calibration.h"
#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {

struct Record {
  std::string family;  ///< options included
  std::string strategy;
  std::string id;        ///< of the item
  std::string question;  ///< a hash of its text: another question of that id is another question
  Judgement judgement = Judgement::kNone;
  std::string value;                      ///< the answer's
  std::optional<double> confidence = {};  ///< as shown to a person
  bool verified = false;
  ConfidenceFeatures features = {};
  std::size_t tokens = 0;
  std::size_t calls = 0;
  double seconds = 0.0;    ///< from its start to its end, others beside it
  double wall = 0.0;       ///< from the end of the one before; the sum is the time that all took
  std::string error = {};  ///< why there is no answer, if the strategy failed
};

OrderedJson ToJson(const Record& record);
Result<Record> RecordFromJson(const OrderedJson& json, const std::string& where);

/// A JSON-lines file: a header that says under which settings it was made, then one record a line,
/// each flushed. A last line that was cut off is removed.
class Journal {
 public:
  /// Makes `path` or goes on with it. Errors: it was made with other settings (they are named), it
  /// is no such file, it cannot be written.
  static Result<std::unique_ptr<Journal>> Open(const std::string& path,
                                               const OrderedJson& settings);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// nullptr if that question has not been answered yet.
  const Record* Find(std::string_view family, std::string_view strategy, const Item& item) const;
  std::size_t size() const { return records_.size(); }
  /// Error: the disk is full.
  Status Write(const Record& record);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  Journal() = default;
  Status Read(std::string_view text, const std::string& path, const OrderedJson& settings);

  std::string path_;
  std::FILE* file_ = nullptr;
  std::map<Key, Record> records_;
};

/// Record::question of an item.
std::string HashOf(const Question& question);

}  // namespace ergo::reasoning::eval
