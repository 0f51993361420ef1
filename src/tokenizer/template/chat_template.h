// Chat templates: the Jinja2 subset that model templates use, run in a sandbox.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ergo::tokenizer {

/// What one template may use up. Templates come with models, so they are untrusted.
struct TemplateLimits {
  /// Statements, expressions, loop turns and touched elements of one rendering.
  std::size_t max_steps = 1'000'000;
  /// Nesting of blocks and expressions, of macro calls, and of the values that are rendered.
  std::size_t max_depth = 64;
  /// Bytes of the rendered text, and of any one string that a template builds on the way.
  std::size_t max_output_bytes = std::size_t{16} << 20;
  std::size_t max_template_bytes = std::size_t{1} << 20;
  /// What strftime_now() shows, in seconds since 1970 (shown as local time); unset: the clock.
  std::optional<std::int64_t> fixed_time;
};

struct ParsedTemplate;  // the tree, and the source text that it points into

/// A parsed template. Immutable: copies are cheap and any thread may render.
///
/// The language and the environment are those of Transformers' renderer: Jinja 3.1 with
/// trim_blocks, lstrip_blocks, {% break %}, {% continue %}, {% generation %}, raise_exception,
/// strftime_now, and a tojson that writes plain JSON. Values behave as Python's do.
class ChatTemplate {
 public:
  /// Parses `source`. `where` names the file or model in messages. Errors name the line.
  static Result<ChatTemplate> Parse(std::string_view source, std::string where,
                                    const TemplateLimits& limits = {});

  /// Renders with the members of the object `variables` as the template's variables: messages,
  /// tools, add_generation_prompt, bos_token, … Errors name the line; they include what the
  /// template itself refuses by raise_exception.
  Result<std::string> Render(const OrderedJson& variables) const;

 private:
  explicit ChatTemplate(std::shared_ptr<const ParsedTemplate> parsed)
      : parsed_(std::move(parsed)) {}
  std::shared_ptr<const ParsedTemplate> parsed_;
};

}  // namespace ergo::tokenizer
