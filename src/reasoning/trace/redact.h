// Takes secrets out of a trace before it leaves the machine.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace ergo::reasoning {

struct Redaction {
  std::vector<std::string> exact = {};     ///< text
  std::vector<std::string> patterns = {};  ///< regular expressions, as PCRE2 reads them
};

/// Replaces every match in every text of `json` (a document or an event of a trace) by
/// "[redacted]"; ids, kinds and states stay. A match across tokens takes all tokens that it
/// touches. Where anything was replaced, spans of texts are left out. Errors: a pattern that is
/// wrong or that needs too long; nothing may be shown then.
Status Redact(const Redaction& redaction, OrderedJson* json);

}  // namespace ergo::reasoning
