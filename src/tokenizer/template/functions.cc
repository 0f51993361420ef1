#include "tokenizer/template/functions.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>

#include "base/utf8.h"
#include "tokenizer/template/parameters.h"

namespace ergo::tokenizer::jinja {
namespace {

// A format directive may ask for a width; what does not fit is refused.
constexpr std::size_t kMaxTimeText = 4096;

Value MakeRange(Runtime&, Arguments& arguments) {
  const Parameters p("range", arguments, {"start", "stop", "step"}, 1);
  if (!arguments.named.empty()) Raise("range() takes no keyword arguments");
  const Int first = SmallWhole(*p[0], "range(): start");
  const Int start = p.Has(1) ? first : 0;
  const Int stop = p.Has(1) ? static_cast<Int>(SmallWhole(*p[1], "range(): stop")) : first;
  const Int step = p.Has(2) ? static_cast<Int>(SmallWhole(*p[2], "range(): step")) : 1;
  return Value(std::shared_ptr<Object>(std::make_shared<Range>(start, stop, step)));
}

std::shared_ptr<Dict> BuildDict(Runtime& runtime, const Arguments& arguments) {
  if (arguments.positional.size() > 1) Raise("dict expected at most 1 argument");
  const auto made = runtime.MakeDict();
  if (!arguments.positional.empty()) {
    const Value& source = arguments.positional[0];
    const std::vector<Value> pairs =
        source.IsDict() ? DictView(source.dict_ref(), DictView::Part::kItems).Iterate(runtime)
                        : ItemsOf(runtime, source);
    for (const Value& pair : pairs) {
      const std::vector<Value> parts = ItemsOf(runtime, pair);
      if (parts.size() != 2) Raise("dict() takes a mapping or pairs");
      made->Set(parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) made->Set(runtime.MakeText(name), value);
  return made;
}

Value MakeDict(Runtime& runtime, Arguments& arguments) {
  return Value(std::shared_ptr<const Dict>(BuildDict(runtime, arguments)));
}

void CheckNamespaceName(std::string_view name) {
  if (name.starts_with("_")) {
    Raise(fmt::format("attributes of a namespace cannot start with an underscore: '{}'", name));
  }
}

Value MakeNamespace(Runtime& runtime, Arguments& arguments) {
  std::shared_ptr<Dict> values = BuildDict(runtime, arguments);
  for (const auto& [name, value] : values->entries()) {
    if (name.IsString()) CheckNamespaceName(name.str());
  }
  return Value(std::shared_ptr<Object>(runtime.Adopt<Namespace>(std::move(values))));
}

Value RaiseException(Runtime& runtime, Arguments& arguments) {
  const Parameters p("raise_exception", arguments, {"message"}, 1);
  Raise(ToText(runtime, *p[0]));
}

// A datetime without a zone shows nothing for %z and %Z, and has microseconds, which time_t lacks.
std::string AdaptTimeFormat(std::string_view format) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char directive = format[++i];
    if (directive == 'z' || directive == 'Z') continue;
    if (directive == 'f') {
      out += "000000";
    } else {
      out += '%';
      out += directive;
    }
  }
  return out;
}

Value FormatNow(Runtime& runtime, Arguments& arguments) {
  const Parameters p("strftime_now", arguments, {"format"}, 1);
  const auto& fixed = runtime.budget().limits().fixed_time;
  const std::time_t now =
      fixed ? static_cast<std::time_t>(*fixed)
            : std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm local{};
  if (localtime_r(&now, &local) == nullptr) Raise("strftime_now(): the time is out of range");
  const std::string format = AdaptTimeFormat(p.String(0));
  if (format.size() > kMaxTimeText / 4) Raise("strftime_now(): the format is too long");
  // The space in front tells an empty result from one that does not fit.
  std::array<char, kMaxTimeText> buffer;
  const std::size_t size =
      std::strftime(buffer.data(), buffer.size(), (" " + format).c_str(), &local);
  if (size == 0) Raise("strftime_now(): the text is too long");
  return runtime.MakeText(RepairUtf8(std::string_view(buffer.data() + 1, size - 1)));
}

class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string_view TypeName() const override { return "Joiner"; }
  std::string Repr(Runtime&) override { return "<Joiner object>"; }
  bool CanCall() const override { return true; }
  Value Call(Runtime& runtime, Arguments&) override {
    return std::exchange(used_, true) ? separator_ : runtime.MakeText("");
  }
  std::uint32_t depth() const override { return separator_.depth() + 1; }

 private:
  Value separator_;
  bool used_ = false;
};

Value MakeJoiner(Runtime& runtime, Arguments& arguments) {
  const Parameters p("joiner", arguments, {"sep"});
  Value separator = p.Has(0) ? *p[0] : runtime.MakeText(", ");
  CheckValueDepth(&runtime.budget(), separator.depth() + 1);
  return Value(std::shared_ptr<Object>(std::make_shared<Joiner>(std::move(separator))));
}

class Cycler : public Object, public std::enable_shared_from_this<Cycler> {
 public:
  explicit Cycler(std::vector<Value> items, std::uint32_t depth)
      : items_(std::move(items)), depth_(depth) {}
  std::string_view TypeName() const override { return "Cycler"; }
  std::string Repr(Runtime&) override { return "<Cycler object>"; }
  std::uint32_t depth() const override { return depth_; }
  std::optional<Value> Attribute(Runtime& runtime, std::string_view name) override;
  Value Advance() { return items_[std::exchange(position_, (position_ + 1) % items_.size())]; }
  void Reset() { position_ = 0; }

 private:
  std::vector<Value> items_;
  std::size_t position_ = 0;
  std::uint32_t depth_;
};

class CyclerMethod : public Object {
 public:
  CyclerMethod(std::shared_ptr<Cycler> cycler, bool resets)
      : cycler_(std::move(cycler)), resets_(resets) {}
  std::string_view TypeName() const override { return "method"; }
  std::string Repr(Runtime&) override { return "<bound method of Cycler object>"; }
  bool CanCall() const override { return true; }
  Value Call(Runtime&, Arguments&) override {
    if (!resets_) return cycler_->Advance();
    cycler_->Reset();
    return {};
  }
  std::uint32_t depth() const override { return cycler_->depth() + 1; }

 private:
  std::shared_ptr<Cycler> cycler_;
  bool resets_;
};

std::optional<Value> Cycler::Attribute(Runtime&, std::string_view name) {
  if (name == "current") return items_[position_];
  if (name != "next" && name != "reset") return std::nullopt;
  return Value(
      std::shared_ptr<Object>(std::make_shared<CyclerMethod>(shared_from_this(), name == "reset")));
}

Value MakeCycler(Runtime& runtime, Arguments& arguments) {
  if (!arguments.named.empty()) Raise("cycler() takes no keyword arguments");
  if (arguments.positional.empty()) Raise("at least one item has to be provided");
  const Value items = runtime.MakeList(arguments.positional);
  return Value(
      std::shared_ptr<Object>(std::make_shared<Cycler>(arguments.positional, items.depth() + 1)));
}

struct Global {
  std::string_view name;
  Function::Body body;
};

constexpr std::array<Global, 7> kGlobals = {{
    {"cycler", MakeCycler},
    {"dict", MakeDict},
    {"joiner", MakeJoiner},
    {"namespace", MakeNamespace},
    {"raise_exception", RaiseException},
    {"range", MakeRange},
    {"strftime_now", FormatNow},
}};

}  // namespace

std::optional<Value> FindGlobal(std::string_view name) {
  for (const Global& global : kGlobals) {
    if (global.name == name) {
      return Value(std::shared_ptr<Object>(std::make_shared<Function>(global.name, global.body)));
    }
  }
  return std::nullopt;
}

std::string Function::Repr(Runtime&) { return fmt::format("<function {}>", name_); }

std::string Namespace::Repr(Runtime& runtime) {
  const Level level(&runtime.budget());
  return fmt::format("<Namespace {}>",
                     jinja::Repr(runtime, Value(std::shared_ptr<const Dict>(values_))));
}

std::optional<Value> Namespace::Attribute(Runtime&, std::string_view name) {
  const Value* found = values_->Find(name);
  return found == nullptr ? std::nullopt : std::optional<Value>(*found);
}

void Namespace::Assign(Runtime& runtime, std::string_view name, Value value) {
  CheckNamespaceName(name);
  values_->Set(runtime.MakeText(std::string(name)), std::move(value));
}

}  // namespace ergo::tokenizer::jinja
