#include "runtime/kv/store_key.h"

#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

#include <cstring>

#include "base/content_hash.h"
#include "base/cpu.h"
#include "model/files_digest.h"

namespace ergo::runtime {
namespace {

/// The build id that the linker gave to the program or library with this code, in bytes.
struct Build {
  std::string id;
};

std::string BuildIdIn(const char* notes, std::size_t size) {
  const auto padded = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    const std::size_t name = sizeof(note);
    const std::size_t content = name + padded(note.n_namesz);
    const std::size_t next = content + padded(note.n_descsz);
    if (next > size) break;
    if (note.n_type == NT_GNU_BUILD_ID) return {notes + content, note.n_descsz};
    notes += next;
    size -= next;
  }
  return {};
}

int LookForBuild(struct dl_phdr_info* info, std::size_t, void* result) {
  const auto here = reinterpret_cast<ElfW(Addr)>(&LookForBuild);
  bool ours = false;
  std::string id;
  for (const ElfW(Phdr) & part : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
    const ElfW(Addr) begin = info->dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD) ours = ours || (here >= begin && here - begin < part.p_memsz);
    if (part.p_type != PT_NOTE || !id.empty()) continue;
    id = BuildIdIn(reinterpret_cast<const char*>(begin), part.p_memsz);
  }
  if (!ours) return 0;
  static_cast<Build*>(result)->id = id;
  return 1;
}

}  // namespace

StoreKey MakeStoreKey(const model::Model& model, const formats::ModelFiles& files) {
  Build build;
  ::dl_iterate_phdr(&LookForBuild, &build);
  ContentHash program;
  program.AddSized(build.id);
  const auto path = ChooseCpuPath();
  program.AddSized(path ? Name(*path) : "none");
  for (const std::string& feature : FeatureNames(HostCpu())) program.AddSized(feature);
  ContentHash weights;  // as they are computed with
  for (const model::TensorReport& tensor : model.tensors()) {
    weights.AddSized(tensor.name);
    weights.AddSized(tensor.kernel);
    weights.AddSized(fmt::format("{} {}", static_cast<int>(tensor.dtype), tensor.bytes));
  }
  std::string digest = fmt::format("files {} weights {} program {}", model::FilesDigest(files),
                                   weights.Hex(), program.Hex());
  for (const model::KvClass& kv : model.kv_classes()) {
    digest += fmt::format(" kv {} {}x{}x{} {} bytes, window {}", static_cast<int>(kv.layout.type),
                          kv.layout.layers, kv.layout.kv_heads, kv.layout.head_dim,
                          kv.layout.BlockBytes(), kv.window);
  }
  for (const kernels::RopeConfig& rope : model.config().ropes) {
    if (rope.type == kernels::RopeConfig::Type::kDynamic) {
      digest += fmt::format(" rope for {}", rope.context);
    }
  }
  return {digest};
}

std::string DigestOf(const formats::ModelFiles& files) { return model::FilesDigest(files); }

}  // namespace ergo::runtime
