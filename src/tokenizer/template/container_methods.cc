// The methods of lists, tuples and dicts that leave them as they are.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tokenizer/template/methods.h"
#include "tokenizer/template/parameters.h"

namespace ergo::tokenizer::jinja {
namespace {

Value Count(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("count", arguments, {"value"}, 1);
  std::size_t count = 0;
  for (const Value& item : self.items()) {
    count += item.Is(*p[0]) || EqualValues(&runtime.budget(), item, *p[0]);
  }
  return Value::FromSize(count);
}

Value Index(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("index", arguments, {"value", "start", "stop"}, 1);
  const auto length = static_cast<long long>(self.items().size());
  const auto bound = [&](std::size_t index, long long otherwise) {
    const long long at = p.Whole(index, otherwise);
    return std::clamp(at < 0 ? at + length : at, 0LL, length);
  };
  for (long long i = bound(1, 0); i < bound(2, length); ++i) {
    const Value& item = self.items()[static_cast<std::size_t>(i)];
    if (item.Is(*p[0]) || EqualValues(&runtime.budget(), item, *p[0])) {
      return Value(static_cast<Int>(i));
    }
  }
  Raise("value is not in list");
}

Value Copy(Runtime&, const Value& self, Arguments& arguments) {
  const Parameters p("copy", arguments, {});
  return self;
}

template <DictView::Part kPart>
Value View(Runtime&, const Value& self, Arguments& arguments) {
  const Parameters p("dict method", arguments, {});
  return Value(std::shared_ptr<Object>(std::make_shared<DictView>(self.dict_ref(), kPart)));
}

Value Get(Runtime&, const Value& self, Arguments& arguments) {
  const Parameters p("get", arguments, {"key", "default"}, 1);
  if (!arguments.named.empty()) Raise("get() takes no keyword arguments");
  const Value* found = self.dict().Find(*p[0]);
  if (found != nullptr) return *found;
  return p.Has(1) ? *p[1] : Value();
}

struct Method {
  std::string_view name;
  MethodFunction function;
};

constexpr std::array<Method, 3> kListMethods = {
    {{"count", Count}, {"index", Index}, {"copy", Copy}}};

constexpr std::array<Method, 5> kDictMethods = {{{"get", Get},
                                                 {"items", View<DictView::Part::kItems>},
                                                 {"keys", View<DictView::Part::kKeys>},
                                                 {"values", View<DictView::Part::kValues>},
                                                 {"copy", Copy}}};

constexpr std::array<std::string_view, 8> kListChanges = {"append", "clear", "pop",    "reverse",
                                                          "insert", "sort",  "extend", "remove"};
constexpr std::array<std::string_view, 5> kDictChanges = {"clear", "pop", "popitem", "setdefault",
                                                          "update"};

template <typename Table>
MethodFunction Search(const Table& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Method& method) { return method.name == name; });
  return found != table.end() ? found->function : nullptr;
}

}  // namespace

MethodFunction FindContainerMethod(Kind kind, std::string_view name) {
  if (kind == Kind::kDict) return Search(kDictMethods, name);
  const MethodFunction found = Search(kListMethods, name);
  return kind == Kind::kTuple && found == Copy ? nullptr : found;
}

MethodFunction FindMethod(const Value& self, std::string_view name) {
  switch (self.kind()) {
    case Kind::kString:
      return FindStringMethod(name);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      return FindContainerMethod(self.kind(), name);
    default:
      return nullptr;
  }
}

bool ChangesContainer(Kind kind, std::string_view name) {
  if (kind == Kind::kList) {
    return std::find(kListChanges.begin(), kListChanges.end(), name) != kListChanges.end();
  }
  if (kind == Kind::kDict) {
    return std::find(kDictChanges.begin(), kDictChanges.end(), name) != kDictChanges.end();
  }
  return false;
}

std::string BoundMethod::Repr(Runtime&) {
  return fmt::format("<built-in method {} of {} object>", name_, self_.TypeName());
}

}  // namespace ergo::tokenizer::jinja
