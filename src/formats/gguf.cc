#include "formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "base/utf8.h"
#include "formats/name_check.h"

namespace ergo::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read in place");

constexpr std::uint64_t kMaxKeys = 1 << 16;
constexpr std::uint64_t kMaxTensors = 1 << 20;
constexpr std::size_t kMaxKeyName = 65535;
constexpr std::uint32_t kMaxDimensions = 4;
constexpr std::uint64_t kDefaultAlignment = 32;
// Key: length, one character, type, one byte. Tensor: length, one character, rank, type, offset.
constexpr std::uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinTensorBytes = 8 + 1 + 4 + 4 + 8;

constexpr char kFetchAgain[] = "the file is damaged or its download was cut: fetch it again";

/// Bytes of a scalar of `type`; 0 for strings and arrays; nullopt for numbers that are no type.
std::optional<std::size_t> ScalarBytes(std::uint32_t type) {
  static constexpr std::size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  if (type >= std::size(kBytes)) return std::nullopt;
  return kBytes[type];
}

/// Names of the tensor types that are read, each after a space.
std::string SupportedTypes() {
  constexpr std::uint32_t kNumbers = 64;  // more than there are
  std::string names;
  for (std::uint32_t number = 0; number < kNumbers; ++number) {
    if (const auto dtype = DTypeFromGguf(number)) names += ' ' + std::string(Info(*dtype).name);
  }
  return names;
}

/// Name of a tensor type that exists elsewhere but is not read here; empty for unknown numbers.
std::string_view ForeignTypeName(std::uint32_t type) {
  switch (type) {
    case 9:
      return "Q8_1";
    case 15:
      return "Q8_K";
    case 16:
      return "IQ2_XXS";
    case 17:
      return "IQ2_XS";
    case 18:
      return "IQ3_XXS";
    case 19:
      return "IQ1_S";
    case 20:
      return "IQ4_NL";
    case 21:
      return "IQ3_S";
    case 22:
      return "IQ2_S";
    case 23:
      return "IQ4_XS";
    case 29:
      return "IQ1_M";
    case 34:
      return "TQ1_0";
    case 35:
      return "TQ2_0";
    case 39:
      return "MXFP4";
    default:
      return {};
  }
}

/// Reads the file from front to back. Layout (little-endian, no padding before the data):
///   "GGUF" | u32 version | u64 tensors | u64 keys
///   keys:    string key | u32 type | value           string = u64 length, characters
///            value: number | string | array = u32 element type, u64 count, elements
///   tensors: string name | u32 rank | u64 extents[rank], innermost first | u32 type | u64 offset
///   padding to general.alignment | data, each tensor at its offset
class Parser {
 public:
  Parser(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  Result<GgufFile> Parse() {
    if (auto ok = ReadHeader(); !ok) return Fail(std::move(ok));
    for (std::uint64_t i = 0; i < keys_; ++i) {
      if (auto ok = ReadKey(); !ok) return Fail(std::move(ok));
    }
    if (auto ok = ReadAlignment(); !ok) return Fail(std::move(ok));
    out_.tensors.reserve(tensors_);
    offsets_.reserve(tensors_);
    for (std::uint64_t i = 0; i < tensors_; ++i) {
      if (auto ok = ReadTensorInfo(); !ok) return Fail(std::move(ok));
    }
    if (auto ok = PlaceTensors(); !ok) return Fail(std::move(ok));
    if (auto ok = CheckOverlaps(); !ok) return Fail(std::move(ok));
    return std::move(out_);
  }

 private:
  std::uint64_t left() const { return bytes_.size() - at_; }

  /// Error at the current position.
  tl::unexpected<Error> Bad(const std::string& what, std::string remedy = kFetchAgain) const {
    return Fail(what + " at byte " + std::to_string(at_), path_, std::move(remedy));
  }

  template <typename T>
  bool Read(T* value) {
    if (left() < sizeof(T)) return false;
    std::memcpy(value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }

  /// The characters of a string; nullopt, the position unchanged, when they end past the file.
  std::optional<std::string_view> ReadString() {
    std::uint64_t length = 0;
    if (!Read(&length)) return std::nullopt;
    if (length > left()) {
      at_ -= sizeof(length);
      return std::nullopt;
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + at_), length);
    at_ += length;
    return text;
  }

  Status ReadHeader();
  Status ReadKey();
  Status ReadValue(const std::string& what, GgufValue* value);
  Status ReadArray(const std::string& what, GgufValue* value);
  Status ReadAlignment();
  Status ReadTensorInfo();
  Status ReadShape(const std::string& what, TensorView* tensor);
  Status PlaceTensors();
  Status CheckOverlaps() const;

  std::span<const std::byte> bytes_;
  const std::string& path_;
  std::uint64_t at_ = 0;
  std::uint64_t keys_ = 0;
  std::uint64_t tensors_ = 0;
  std::uint64_t alignment_ = kDefaultAlignment;
  std::vector<std::uint64_t> offsets_;  ///< of the tensors, from the start of the data
  GgufFile out_;
};

Status Parser::ReadHeader() {
  if (bytes_.size() < 4 || std::memcmp(bytes_.data(), "GGUF", 4) != 0) {
    return Bad("does not begin with \"GGUF\"", "give a GGUF file");
  }
  at_ = 4;
  std::uint32_t version = 0;
  if (!Read(&version)) return Bad("the header is cut off");
  if (version != 0 && (version & 0xFFFF) == 0) {
    return Fail("a big-endian GGUF file", path_, "get or convert to a little-endian file");
  }
  if (version != 2 && version != 3) {
    return Fail("GGUF version " + std::to_string(version) + " is not read", path_,
                "convert the model to version 3");
  }
  out_.version = version;
  if (!Read(&tensors_) || !Read(&keys_)) return Bad("the header is cut off");
  if (keys_ > std::min(kMaxKeys, left() / kMinKeyBytes)) {
    return Bad("the header announces " + std::to_string(keys_) +
               " metadata keys, more than the file can hold,");
  }
  if (tensors_ > std::min(kMaxTensors, left() / kMinTensorBytes)) {
    return Bad("the header announces " + std::to_string(tensors_) +
               " tensors, more than the file can hold,");
  }
  return {};
}

Status Parser::ReadKey() {
  const auto name = ReadString();
  if (!name) return Bad("the metadata is cut off");
  const std::string what = "metadata key " + QuoteForMessage(*name);
  if (const auto fault = NameFault(*name, kMaxKeyName)) return Bad(what + " " + *fault);
  GgufValue value;
  std::uint32_t type = 0;
  if (!Read(&type)) return Bad(what + " is cut off");
  if (!ScalarBytes(type)) return Bad(what + " has unknown type " + std::to_string(type));
  value.type = static_cast<GgufType>(type);
  if (auto ok = ReadValue(what, &value); !ok) return ok;
  if (!out_.metadata.emplace(*name, value).second) return Bad(what + " appears twice, again");
  return {};
}

Status Parser::ReadValue(const std::string& what, GgufValue* value) {
  if (value->type == GgufType::kArray) return ReadArray(what, value);
  if (value->type == GgufType::kString) {
    const auto text = ReadString();
    if (!text) return Bad(what + " has a string that ends past the file");
    value->bytes = std::as_bytes(std::span(text->data(), text->size()));
    return {};
  }
  const std::size_t size = *ScalarBytes(static_cast<std::uint32_t>(value->type));
  if (size > left()) return Bad(what + " is cut off");
  value->bytes = bytes_.subspan(at_, size);
  at_ += size;
  if (value->type == GgufType::kBool && value->bytes[0] > std::byte{1}) {
    return Bad(what + " is a bool that is neither 0 nor 1");
  }
  return {};
}

Status Parser::ReadArray(const std::string& what, GgufValue* value) {
  std::uint32_t type = 0;
  if (!Read(&type) || !Read(&value->count)) return Bad(what + " is cut off");
  const auto size = ScalarBytes(type);
  if (!size) return Bad(what + " has unknown element type " + std::to_string(type));
  value->element_type = static_cast<GgufType>(type);
  if (value->element_type == GgufType::kArray) {
    return Bad(what + " is an array of arrays", "such files are not supported");
  }
  const bool strings = value->element_type == GgufType::kString;
  const std::uint64_t element = strings ? sizeof(std::uint64_t) : *size;
  if (value->count > left() / element) {
    return Bad(what + " announces " + std::to_string(value->count) +
               " elements, more than the file holds,");
  }
  const std::uint64_t begin = at_;
  if (strings) {
    for (std::uint64_t i = 0; i < value->count; ++i) {
      if (!ReadString()) {
        return Bad(what + ": string " + std::to_string(i) + " ends past the file");
      }
    }
  } else {
    at_ += value->count * element;
  }
  value->bytes = bytes_.subspan(begin, at_ - begin);
  if (value->element_type == GgufType::kBool &&
      std::any_of(value->bytes.begin(), value->bytes.end(),
                  [](std::byte b) { return b > std::byte{1}; })) {
    return Bad(what + " has a bool that is neither 0 nor 1");
  }
  return {};
}

Status Parser::ReadAlignment() {
  const auto found = out_.metadata.find("general.alignment");
  if (found == out_.metadata.end()) return {};
  const auto value = found->second.Int();
  // At least 8, so that numbers may be read in place.
  if (!value || *value < 8 || *value > 65536 || !std::has_single_bit(std::uint64_t(*value))) {
    return Fail("general.alignment is not a power of two from 8 to 65536", path_,
                "convert the model again");
  }
  alignment_ = static_cast<std::uint64_t>(*value);
  return {};
}

Status Parser::ReadTensorInfo() {
  const auto name = ReadString();
  if (!name) return Bad("the list of tensors is cut off");
  const std::string what = "tensor " + QuoteForMessage(*name);
  if (const auto fault = NameFault(*name, kMaxTensorName)) return Bad(what + " " + *fault);
  TensorView tensor;
  tensor.name = *name;
  if (auto ok = ReadShape(what, &tensor); !ok) return ok;
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
  if (!Read(&type) || !Read(&offset)) return Bad(what + " is cut off");
  const auto dtype = DTypeFromGguf(type);
  if (!dtype) {
    const std::string_view known = ForeignTypeName(type);
    return Bad(what + " has type " + (known.empty() ? std::to_string(type) : std::string(known)) +
                   ", which is not supported,",
               "use one of" + SupportedTypes());
  }
  tensor.dtype = *dtype;
  if (offset % alignment_ != 0) {
    return Bad(what + " has offset " + std::to_string(offset) + ", not a multiple of " +
               std::to_string(alignment_) + ",");
  }
  out_.tensors.push_back(std::move(tensor));
  offsets_.push_back(offset);
  return {};
}

Status Parser::ReadShape(const std::string& what, TensorView* tensor) {
  std::uint32_t rank = 0;
  if (!Read(&rank)) return Bad(what + " is cut off");
  if (rank > kMaxDimensions) {
    return Bad(what + " has " + std::to_string(rank) + " dimensions, more than 4,");
  }
  std::int64_t elements = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    std::uint64_t extent = 0;
    if (!Read(&extent)) return Bad(what + " is cut off");
    const auto dimension = static_cast<std::int64_t>(extent);
    if (dimension <= 0) {
      return Bad(what + " has extent " + std::to_string(dimension) + " in its shape");
    }
    if (__builtin_mul_overflow(elements, dimension, &elements)) {
      return Bad(what + " has a shape with more than 2^63 elements");
    }
    tensor->shape.push_back(dimension);
  }
  std::reverse(tensor->shape.begin(), tensor->shape.end());
  return {};
}

Status Parser::PlaceTensors() {
  std::unordered_set<std::string_view> names;
  names.reserve(out_.tensors.size());
  const std::uint64_t start = (at_ + alignment_ - 1) / alignment_ * alignment_;
  for (std::size_t i = 0; i < out_.tensors.size(); ++i) {
    TensorView& tensor = out_.tensors[i];
    const std::string what = "tensor " + QuoteForMessage(tensor.name);
    if (!names.insert(tensor.name).second) return Fail(what + " appears twice", path_, kFetchAgain);
    const std::int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (row % Info(tensor.dtype).block_elements != 0) {
      return Fail(what + " has rows of " + std::to_string(row) + " elements, not whole blocks of " +
                      std::string(Info(tensor.dtype).name),
                  path_, kFetchAgain);
    }
    const auto size = BytesFor(tensor.dtype, static_cast<std::uint64_t>(tensor.elements()));
    const std::uint64_t data_bytes = bytes_.size() > start ? bytes_.size() - start : 0;
    if (!size || offsets_[i] > data_bytes || *size > data_bytes - offsets_[i]) {
      return Fail(what + " at byte " + std::to_string(start) + " + " + std::to_string(offsets_[i]) +
                      " ends past the file of " + std::to_string(bytes_.size()) + " bytes",
                  path_, kFetchAgain);
    }
    tensor.data = bytes_.subspan(start + offsets_[i], *size);
  }
  return {};
}

Status Parser::CheckOverlaps() const {
  std::vector<const TensorView*> order;
  order.reserve(out_.tensors.size());
  for (const TensorView& tensor : out_.tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->data.data() < b->data.data(); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const TensorView& before = *order[i - 1];
    if (before.data.data() + before.data.size() > order[i]->data.data()) {
      return Fail("tensors " + QuoteForMessage(before.name) + " and " +
                      QuoteForMessage(order[i]->name) + " overlap at byte " +
                      std::to_string(order[i]->data.data() - bytes_.data()),
                  path_, kFetchAgain);
    }
  }
  return {};
}

}  // namespace

Result<GgufFile> ParseGguf(std::span<const std::byte> bytes, const std::string& path) {
  return Parser(bytes, path).Parse();
}

Result<GgufFile> ReadGguf(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return Fail(std::move(file));
  auto parsed = ParseGguf(file->bytes(), path);
  if (parsed) parsed->file = std::move(*file);
  return parsed;
}

}  // namespace ergo::formats
