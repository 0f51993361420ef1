// Keys and values on disk: one file for each block of a remembered prefix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace ergo::runtime {

/// What keys and values depend on, besides the tokens: weights, tokenizer, layout, code path.
/// Blocks stored under another digest are never given out.
struct StoreKey {
  std::string digest;
};

/// Classes of layers, a bit for each.
using ClassSet = std::uint32_t;

struct StoreOptions {
  std::string folder;  ///< made if need be; several processes may use it at the same time
  StoreKey key;
  std::size_t budget = 0;                ///< most bytes of this key's files
  std::vector<std::size_t> block_bytes;  ///< of one block of each class
  /// Told of files that are not used because they are damaged or not ours.
  std::function<void(const Error&)> warn;
};

/// All tokens from the first to the last of a block, and where they belong.
struct PrefixName {
  std::string_view name_space;
  std::span<const std::int32_t> tokens;
};

/// A folder <folder>/<version>-<hash of the key> of files <hash of the prefix>.kv, named by what is
/// in them, so that processes that store the same prefix store the same file and nobody has to wait
/// for anybody. A file is written under another name, and renamed when it is complete: whenever a
/// process dies, a name stands for all of a file or for none. Layout, little-endian:
///
///    0   8  "ergo-kv\n"
///    8   4  version
///   12   4  bytes of the key's digest
///   16   4  bytes of the name space
///   20   4  tokens of the prefix
///   24   4  classes
///   28   4  those that are there, a bit for each
///   32   8  bytes of keys and values
///   40   8  XXH3 of the keys and values
///   48   8  XXH3 of all that stands before the keys and values, with this field 0
///   56   8  0
///   64      digest, name space, tokens (int32); zeros up to a multiple of 64
///           the block of each class that is there in turn
///
/// A reader compares digest, name space and all tokens, and both checksums, before it believes the
/// keys and values. Files of damaged contents are removed. Belongs to one thread.
class PrefixStore {
 public:
  struct Stored {
    std::string name_space;
    std::vector<std::int32_t> tokens;
    ClassSet classes = 0;   ///< that are there
    std::int64_t used = 0;  ///< last write or read, ns since 1970
  };

  /// Errors: the folder can't be made or written to.
  static Result<std::unique_ptr<PrefixStore>> Open(StoreOptions options);
  ~PrefixStore();
  PrefixStore(const PrefixStore&) = delete;
  PrefixStore& operator=(const PrefixStore&) = delete;

  /// What is there, from the shortest prefix to the longest. Reads the files' heads; what is wrong
  /// with them is told to `warn`.
  std::vector<Stored> List();

  /// Stores a block, given class by class, with no bytes for those that are not there. A file of
  /// the same name makes place for it. Power cuts aside the file is there on return: a damaged one
  /// would not be believed. Errors: disk full, folder gone.
  Status Write(const PrefixName& name, std::span<const std::span<const std::byte>> parts);
  /// Writes a file that gets its name, safe from power cuts too, at the next Commit.
  Status Prepare(const PrefixName& name, std::span<const std::span<const std::byte>> parts);
  /// Errors: those of Write; then none of the prepared files is there.
  Status Commit();

  /// Reads a block into `parts`, of the classes that are stored and with no bytes for the others.
  /// They are written to even if the block turns out to be damaged. Counts as a use. Errors:
  /// missing (another process may have removed it), damaged; the name is forgotten then.
  Status Read(const PrefixName& name, std::span<const std::span<std::byte>> parts);
  /// Whether a file of that name is known; Read may still find it gone.
  bool Has(const PrefixName& name) const { return files_.contains(FileName(name)); }
  /// Marks as used now.
  void Touch(const PrefixName& name) const;
  void Remove(const PrefixName& name);
  /// Leaves the file to others: it isn't counted any more.
  void Disown(const PrefixName& name) { Forget(FileName(name)); }
  /// Tells `warn`.
  void Warn(const Error& error) const {
    if (options_.warn) options_.warn(error);
  }

  /// Bytes of the files known, with those prepared.
  std::size_t bytes() const { return bytes_; }
  std::size_t budget() const { return options_.budget; }
  /// Bytes of a file for a prefix with the blocks of these classes.
  std::size_t FileBytes(const PrefixName& name, ClassSet classes) const;

 private:
  struct Pending {
    int file;
    std::string temporary;
    std::string name;
    std::size_t bytes;
  };

  explicit PrefixStore(StoreOptions options) : options_(std::move(options)) {}
  static std::string FileName(const PrefixName& name);
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  std::string Head(const PrefixName& name, std::span<const std::span<const std::byte>> parts) const;
  Result<Pending> WriteTemporary(const PrefixName& name,
                                 std::span<const std::span<const std::byte>> parts);
  Status Rename(const Pending& pending);
  void Abandon();
  void Know(const std::string& name, std::size_t bytes);
  void Forget(const std::string& name);
  Result<Stored> ReadName(const std::string& name, std::size_t& bytes) const;
  void RemoveLeftovers(const std::string& name) const;

  StoreOptions options_;
  std::string folder_;
  std::unordered_map<std::string, std::size_t> files_;  ///< bytes of each file known
  std::size_t bytes_ = 0;
  std::vector<Pending> pending_;
  std::uint64_t temporaries_ = 0;
};

}  // namespace ergo::runtime
