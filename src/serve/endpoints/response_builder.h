// A response of OpenAI's Responses API in the making: items that are opened, filled and closed, and
// the events that tell it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/service/generation.h"

namespace ergo::serve {

class ResponseBuilder {
 public:
  /// Takes each event, with its name and number in it; empty: nobody listens.
  using OnEvent = std::function<void(const OrderedJson& event)>;

  /// `head`: the response with everything that is known before its output.
  ResponseBuilder(OrderedJson head, OnEvent on_event)
      : response_(std::move(head)), on_event_(std::move(on_event)) {}

  void Begin();
  void Thought(const std::string& text) { AddText(Kind::kReasoning, text); }
  void Text(const std::string& text) { AddText(Kind::kMessage, text); }
  void Call(const ToolCall& call);
  /// Closes what is open and says how the response ended.
  void End(const GenerationOutcome& outcome);
  void Fail(const std::string& code, const std::string& message);

  const OrderedJson& response() const { return response_; }

 private:
  enum class Kind { kNone, kReasoning, kMessage };

  void AddText(Kind kind, const std::string& text);
  void Open(Kind kind);
  void Close();
  OrderedJson Part() const;
  void AddItem(const OrderedJson& item);
  void ItemDone(const OrderedJson& item);
  void Tell(std::string_view type, OrderedJson fields);
  OrderedJson Place() const;

  OrderedJson response_;
  OnEvent on_event_;
  std::uint64_t number_ = 0;
  Kind open_ = Kind::kNone;
  std::string item_id_;
  std::string text_;  ///< of the open item
};

}  // namespace ergo::serve
