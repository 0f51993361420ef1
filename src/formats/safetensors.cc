#include "formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/json.h"
#include "base/utf8.h"
#include "formats/name_check.h"

namespace ergo::formats {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read in place");

constexpr std::uint64_t kMaxHeader = 100'000'000;  // as the format's own reader
constexpr std::size_t kMaxIndex = 256 << 20;
constexpr std::size_t kMaxRank = 32;
constexpr char kFetchAgain[] = "the file is damaged or its download was cut: fetch it again";

/// A tensor's entry in the header, with its place in the data.
struct Entry {
  TensorView tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Only the plain types may stand in these files.
std::optional<DType> PlainType(std::string_view name) {
  const auto dtype = DTypeFromName(name);
  return dtype && !IsBlockFormat(*dtype) ? dtype : std::nullopt;
}

std::optional<std::uint64_t> AsUnsigned(const Json& value) {
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

Status ReadShape(const Json& shape, const std::string& what, TensorView* tensor) {
  if (!shape.is_array() || shape.size() > kMaxRank) {
    return Fail(what + " has a \"shape\" that is not an array of at most 32 numbers");
  }
  std::int64_t elements = 1;
  for (const Json& extent : shape) {
    const auto value = AsUnsigned(extent);
    if (!value || *value > INT64_MAX) {
      return Fail(what + " has an extent that is not a whole number of 0 to 2^63 - 1");
    }
    tensor->shape.push_back(static_cast<std::int64_t>(*value));
    if (__builtin_mul_overflow(elements, tensor->shape.back(), &elements)) {
      return Fail(what + " has a shape with more than 2^63 elements");
    }
  }
  return {};
}

Result<Entry> ReadEntry(const std::string& name, const Json& value) {
  const std::string what = "tensor " + QuoteForMessage(name);
  if (const auto fault = NameFault(name, kMaxTensorName)) return Fail(what + " " + *fault);
  if (!value.is_object()) return Fail(what + " is not described by an object");
  const auto dtype = value.find("dtype");
  const auto shape = value.find("shape");
  const auto offsets = value.find("data_offsets");
  if (dtype == value.end() || shape == value.end() || offsets == value.end()) {
    return Fail(what + " lacks \"dtype\", \"shape\" or \"data_offsets\"");
  }
  Entry entry;
  entry.tensor.name = name;
  if (!dtype->is_string()) return Fail(what + " has a \"dtype\" that is not a text");
  const auto& type_name = dtype->get_ref<const std::string&>();
  const auto type = PlainType(type_name);
  if (!type) return Fail(what + " has type " + QuoteForMessage(type_name) + ", not supported");
  entry.tensor.dtype = *type;
  if (auto ok = ReadShape(*shape, what, &entry.tensor); !ok) return Fail(std::move(ok));
  const bool pair = offsets->is_array() && offsets->size() == 2;
  const auto begin = pair ? AsUnsigned((*offsets)[0]) : std::nullopt;
  const auto end = pair ? AsUnsigned((*offsets)[1]) : std::nullopt;
  if (!begin || !end || *begin > *end) {
    return Fail(what + " has \"data_offsets\" that are not [begin, end]");
  }
  entry.begin = *begin;
  entry.end = *end;
  const auto size = BytesFor(*type, static_cast<std::uint64_t>(entry.tensor.elements()));
  if (!size || *size != entry.end - entry.begin) {
    return Fail(what + " takes " + std::to_string(entry.end - entry.begin) +
                " bytes, which its shape and type do not give");
  }
  return entry;
}

/// The tensors, sorted by place, cover `data` exactly; gives each its bytes.
Status Place(std::span<const std::byte> data, std::vector<Entry>* entries) {
  std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t at = 0;
  for (Entry& entry : *entries) {
    const std::string what = "tensor " + QuoteForMessage(entry.tensor.name);
    if (entry.begin != at) {
      return Fail(what +
                  (entry.begin < at ? " overlaps the one before it" : " leaves a hole before it") +
                  " at data byte " + std::to_string(entry.begin));
    }
    if (entry.end > data.size()) {
      return Fail(what + " ends at data byte " + std::to_string(entry.end) +
                  ", past the file's data of " + std::to_string(data.size()) + " bytes");
    }
    entry.tensor.data = data.subspan(entry.begin, entry.end - entry.begin);
    at = entry.end;
  }
  if (at != data.size()) {
    return Fail("the data has " + std::to_string(data.size() - at) +
                " bytes after the last tensor");
  }
  return {};
}

Status ReadMetadata(const Json& value, std::map<std::string, std::string>* metadata) {
  if (!value.is_object()) return Fail("\"__metadata__\" is not an object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      return Fail("\"__metadata__\" entry " + QuoteForMessage(key) + " is not a text");
    }
    metadata->emplace(key, text.get<std::string>());
  }
  return {};
}

/// Adds the file and the remedy to an error from above.
tl::unexpected<Error> At(const std::string& path, Error error) {
  return Fail(std::move(error.what), path, kFetchAgain);
}

}  // namespace

Result<SafetensorsFile> ParseSafetensors(std::span<const std::byte> bytes,
                                         const std::string& path) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof(length)) return Fail("the header is cut off", path, kFetchAgain);
  std::memcpy(&length, bytes.data(), sizeof(length));
  const auto rest = bytes.subspan(sizeof(length));
  if (length > kMaxHeader || length > rest.size()) {
    return Fail("the header announces " + std::to_string(length) + " bytes; the file has " +
                    std::to_string(rest.size()) + " after it",
                path, kFetchAgain);
  }
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), length);
  if (!text.starts_with('{')) {
    return Fail("the header is not a JSON object", path, "give a safetensors file");
  }
  JsonLimits limits;
  limits.max_depth = 4;
  auto header = ParseJson(text, path + " (header)", limits);
  if (!header) return Fail(std::move(header));

  SafetensorsFile out;
  std::vector<Entry> entries;
  entries.reserve(header->size());
  for (const auto& [name, value] : header->items()) {
    if (name == "__metadata__") {
      if (auto ok = ReadMetadata(value, &out.metadata); !ok) return At(path, ok.error());
      continue;
    }
    auto entry = ReadEntry(name, value);
    if (!entry) return At(path, entry.error());
    entries.push_back(std::move(*entry));
  }
  if (auto ok = Place(rest.subspan(length), &entries); !ok) return At(path, ok.error());
  out.tensors.reserve(entries.size());
  for (Entry& entry : entries) out.tensors.push_back(std::move(entry.tensor));
  return out;
}

Result<SafetensorsFile> ReadSafetensors(const std::string& path) {
  auto file = MappedFile::Open(path);
  if (!file) return Fail(std::move(file));
  auto parsed = ParseSafetensors(file->bytes(), path);
  if (parsed) parsed->file = std::move(*file);
  return parsed;
}

Result<std::map<std::string, std::string>> ParseSafetensorsIndex(std::string_view text,
                                                                 const std::string& path) {
  JsonLimits limits;
  limits.max_depth = 8;
  auto index = ParseJson(text, path, limits);
  if (!index) return Fail(std::move(index));
  const auto map = index->is_object() ? index->find("weight_map") : index->end();
  if (map == index->end() || !map->is_object() || map->empty()) {
    return Fail("has no \"weight_map\" of tensor names and files", path, "fetch the file again");
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : map->items()) {
    if (const auto fault = NameFault(name, kMaxTensorName)) {
      return Fail("tensor " + QuoteForMessage(name) + " " + *fault, path, "fetch the file again");
    }
    const std::string shard = file.is_string() ? file.get<std::string>() : std::string();
    // Only files beside the index: anything else could read or name files elsewhere.
    if (!IsSafeRelativePath(shard) || shard.find('/') != shard.npos ||
        !shard.ends_with(".safetensors")) {
      return Fail("tensor " + QuoteForMessage(name) + " is said to be in " +
                      QuoteForMessage(shard) + ", which is not the name of a .safetensors file",
                  path, "get the model from a source you trust");
    }
    files.emplace(name, shard);
  }
  return files;
}

Result<ShardedSafetensors> ReadShardedSafetensors(const std::string& index_path) {
  auto text = ReadFile(index_path, kMaxIndex);
  if (!text) return Fail(std::move(text));
  auto index = ParseSafetensorsIndex(*text, index_path);
  if (!index) return Fail(std::move(index));
  std::set<std::string> shards;
  for (const auto& [name, shard] : *index) shards.insert(shard);

  const auto folder = std::filesystem::path(index_path).parent_path();
  ShardedSafetensors out;
  for (const std::string& shard : shards) {
    auto file = ReadSafetensors((folder / shard).string());
    if (!file) return Fail(std::move(file));
    for (TensorView& tensor : file->tensors) {
      const auto found = index->find(tensor.name);
      if (found == index->end() || found->second != shard) continue;
      index->erase(found);
      out.tensors.push_back(std::move(tensor));
    }
    out.files.push_back(std::move(file->file));
  }
  if (!index->empty()) {
    const auto& [name, shard] = *index->begin();
    return Fail("tensor " + QuoteForMessage(name) + " is missing", (folder / shard).string(),
                "fetch the model again");
  }
  return out;
}

}  // namespace ergo::formats
