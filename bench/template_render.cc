// Renders chat templates for tools/parity_templates.py: reads one JSON object a line,
// {"template": text, "variables": {…}, "time": seconds}, and writes {"text": …} or {"error": …}.
#include <iostream>
#include <string>

#include "base/json.h"
#include "tokenizer/template/chat_template.h"

namespace {

ergo::Result<std::string> RenderLine(const std::string& line) {
  auto request = ergo::ParseOrderedJson(line, "request");
  if (!request) return ergo::Fail(std::move(request));
  if (!request->is_object() || !request->contains("template") ||
      !request->at("template").is_string() || !request->contains("variables")) {
    return ergo::Fail("expected the members template and variables", "request");
  }
  ergo::tokenizer::TemplateLimits limits;
  if (request->contains("time") && request->at("time").is_number_integer()) {
    limits.fixed_time = request->at("time").get<std::int64_t>();
  }
  const auto parsed = ergo::tokenizer::ChatTemplate::Parse(
      request->at("template").get_ref<const std::string&>(), "template", limits);
  if (!parsed) return tl::unexpected<ergo::Error>(parsed.error());
  return parsed->Render(request->at("variables"));
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto text = RenderLine(line);
    ergo::OrderedJson reply;
    if (text) {
      reply["text"] = *text;
    } else {
      reply["error"] = text.error().Message();
    }
    std::cout << reply.dump() << std::endl;
  }
  return 0;
}
