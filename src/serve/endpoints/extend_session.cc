// POST /v1/sessions/{id}/extend: goes on from many places at once, in common steps.
#include <fmt/format.h>

#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"
#include "serve/endpoints/session_parts.h"
#include "serve/endpoints/template_messages.h"

namespace ergo::serve {
namespace {

constexpr std::size_t kMostExtensions = 1024;

constexpr std::string_view kRequest = R"json({
  "type": "object",
  "required": ["max_tokens"],
  "properties": {
    "branches": {
      "description": "From where to go on; without it: once from the prompt",
      "type": "array", "minItems": 1, "maxItems": 1024, "items": {
        "type": "object",
        "properties": {
          "from": {"type": "string", "maxLength": 64, "default": "b0"},
          "append": {"description": "Text or tokens that stand before what is drawn",
                     "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/TokenIds"}]},
          "n": {"type": "integer", "minimum": 1, "maximum": 1024, "default": 1}}}},
    "max_tokens": {"type": "integer", "minimum": 0, "maximum": 1073741824},
    "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "top_k": {"type": ["integer", "null"], "minimum": -1, "maximum": 1048576},
    "min_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "typical_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "repetition_penalty": {"type": ["number", "null"], "minimum": 0.01, "maximum": 100},
    "frequency_penalty": {"type": ["number", "null"], "minimum": -100, "maximum": 100},
    "presence_penalty": {"type": ["number", "null"], "minimum": -100, "maximum": 100},
    "seed": {"description": "The i-th branch has a seed of its own that follows from it",
             "type": ["integer", "null"], "minimum": 0, "maximum": 9007199254740991},
    "stop": {"$ref": "#/components/schemas/Stop"},
    "logit_bias": {"$ref": "#/components/schemas/LogitBias"},
    "ignore_eos": {"type": ["boolean", "null"]},
    "json_schema": {"description": "What is drawn is JSON of this schema", "type": "object"},
    "stream": {"type": "boolean"}
  }
})json";

constexpr std::string_view kReply = R"json({
  "type": "object", "required": ["branches", "usage"],
  "properties": {
    "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Branch"}},
    "usage": {"type": "object"}}
})json";

struct Planned {
  Place from;
  generate::Extension extension;
  std::string appended;  ///< the text of what is appended
};

struct Plan {
  std::vector<Planned> extensions;
  bool streams = false;
};

Served<void> AddPlanned(const OrderedJson& item, const std::string& place, const Session& session,
                        const generate::AnswerOptions& options, Plan* plan) {
  const ServedModel& model = *session.model();
  const auto from = session.Find(item.value("from", "b0"), place + ".from");
  if (!from) return tl::unexpected(from.error());
  const auto append = TokensOf(model, item.value("append", OrderedJson()), place + ".append");
  if (!append) return tl::unexpected(append.error());
  auto fits = CheckPlace(model, from->tokens() + append->size(), place + ".append");
  if (!fits) return fits;
  Planned planned = {*from, {}, model->tokenizer().Decode(*append, true)};
  planned.extension.from = from->branch;
  planned.extension.append = from->pending;
  planned.extension.append.insert(planned.extension.append.end(), append->begin(), append->end());
  planned.extension.options = options;
  const auto count = item.value("n", std::size_t{1});
  if (plan->extensions.size() + count > kMostExtensions) {
    return Refuse(
        FailureKind::kInvalid,
        fmt::format("{}.n: a request goes on from {} branches at most", place, kMostExtensions),
        "invalid_value", place + ".n");
  }
  for (std::size_t i = 0; i < count; ++i) {
    planned.extension.options.sampling.seed =
        runtime::DeriveSeed(options.sampling.seed, plan->extensions.size());
    plan->extensions.push_back(planned);
  }
  return {};
}

Served<Plan> ReadPlan(const OrderedJson& body, const Session& session) {
  const ServedModel& model = *session.model();
  auto options = OptionsFor(*model.model, ReadSampling(body));
  if (!options) return tl::unexpected(options.error());
  if (body.contains("json_schema")) {
    auto constraint = JsonAnswers(model, body["json_schema"], "json_schema");
    if (!constraint) return tl::unexpected(constraint.error());
    options->constraint = *std::move(constraint);
  }
  Plan plan;
  plan.streams = body.value("stream", false);
  const OrderedJson items = body.value("branches", OrderedJson::array({OrderedJson::object()}));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string place = fmt::format("branches[{}]", i);
    auto added = AddPlanned(items[i], place, session, *options, &plan);
    if (!added) return tl::unexpected(added.error());
  }
  if (auto room = session.CheckRoom(plan.extensions.size()); !room) {
    return tl::unexpected(room.error());
  }
  return plan;
}

/// Carries a plan out and tells what comes of it.
class Extending {
 public:
  Extending(const SessionWork& work, Plan plan)
      : work_(work), plan_(std::move(plan)), ended_(plan_.extensions.size(), nullptr) {}

  void Run() {
    if (work_.cancelled()) return;
    if (plan_.streams) stream_ = work_.call->Stream("text/event-stream");
    waiting_.resize(plan_.extensions.size());
    std::vector<generate::Extension> extensions;
    for (std::size_t i = 0; i < plan_.extensions.size(); ++i) {
      generate::Extension extension = plan_.extensions[i].extension;
      work_.Fill(&extension.options);
      if (stream_) {
        extension.on_text = [this, i](std::string_view text) {
          waiting_[i] += text;
          WriteTexts();
          return true;
        };
      }
      extensions.push_back(std::move(extension));
    }
    generate::ExtendEach(
        **work_.session->model(), std::move(extensions),
        [this](std::size_t index,
               Result<generate::Extended> extended) -> std::optional<generate::Extension> {
          End(index, std::move(extended));
          return std::nullopt;
        },
        [this] { return work_.cancelled(); });
    Conclude();
  }

 private:
  /// A slow reader gets more at a time.
  void WriteTexts() {
    if (stream_->Full()) return;
    for (std::size_t i = 0; i < waiting_.size(); ++i) WriteText(i);
  }
  void WriteText(std::size_t index) {
    if (waiting_[index].empty()) return;
    stream_->Write(
        ServerEvent("branch.delta", {{"index", index}, {"text", std::move(waiting_[index])}}));
    waiting_[index].clear();
  }

  void End(std::size_t index, Result<generate::Extended> extended) {
    OrderedJson branch =
        extended ? Keep(index, *std::move(extended)) : Error(EngineFailure(extended.error()));
    branch["index"] = index;
    if (stream_) {
      WriteText(index);
      stream_->Write(ServerEvent("branch.end", branch));
    } else {
      ended_[index] = std::move(branch);
    }
  }

  static OrderedJson Error(const Failure& failure) {
    return {{"id", nullptr}, {"error", {{"message", failure.message}, {"code", failure.code}}}};
  }

  OrderedJson Keep(std::size_t index, generate::Extended extended) {
    const generate::GenerateResult& result = extended.result;
    usage_.prompt_tokens += result.usage.prompt_tokens;
    usage_.cached_tokens += result.usage.cached_tokens;
    usage_.completion_tokens += result.usage.completion_tokens;
    Place place;
    place.parent = plan_.extensions[index].from.id;
    place.branch = std::move(extended.branch);
    place.text = plan_.extensions[index].appended + result.text;
    place.ended = extended.ended;
    auto places = work_.session->Add({std::move(place)});
    if (!places) return Error(places.error());
    OrderedJson json = PlaceJson(places->front());
    json["drawn"] = result.text;
    json["drawn_tokens"] = result.tokens.size();
    json["finish_reason"] = generate::Name(result.finish_reason);
    return json;
  }

  void Conclude() {
    work_.Count(usage_);
    OrderedJson usage = {{"prompt_tokens", usage_.prompt_tokens},
                         {"cached_tokens", usage_.cached_tokens},
                         {"completion_tokens", usage_.completion_tokens}};
    if (stream_) {
      stream_->Write(ServerEvent("done", {{"usage", std::move(usage)}}));
      return stream_->Finish();
    }
    work_.call->Send(OrderedJson{{"branches", ended_}, {"usage", std::move(usage)}});
  }

  const SessionWork& work_;
  Plan plan_;
  std::shared_ptr<ReplyStream> stream_;
  std::vector<std::string> waiting_;  ///< texts that were not written yet
  std::vector<OrderedJson> ended_;
  generate::Usage usage_;
};

void Handle(const CallPtr& call) {
  auto session = SessionOf(call);
  if (!session) return call->Fail(session.error());
  auto plan = ReadPlan(call->body, **session);
  if (!plan) return call->Fail(plan.error());
  StartSessionWork(call, *session, [plan = *std::move(plan)](const SessionWork& work) {
    Extending(work, plan).Run();
  });
}

}  // namespace

const Endpoint kExtendSession = {.method = "POST",
                                 .path = "/v1/sessions/{id}/extend",
                                 .summary = "Go on from many branches in one batch",
                                 .request = kRequest,
                                 .reply = kReply,
                                 .stream_type = "text/event-stream",
                                 .handle = Handle};

}  // namespace ergo::serve
