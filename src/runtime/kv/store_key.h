// What stored keys and values depend on.
#pragma once

#include <string>

#include "model/model.h"
#include "runtime/kv/prefix_store.h"

namespace ergo::runtime {

/// The key for what `model`, loaded from `files`, computes on this machine with this build of the
/// program: keys and values under it are the same to the bit. Reads all of the files.
StoreKey MakeStoreKey(const model::Model& model, const formats::ModelFiles& files);

/// A hash of all weights, the configuration and the tokenizer: 32 hexadecimal digits. Reads all of
/// the files: a tenth of a second for each gigabyte in memory.
std::string DigestOf(const formats::ModelFiles& files);

}  // namespace ergo::runtime
