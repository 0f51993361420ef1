// How a model's makers want its tokens chosen.
#pragma once

#include "base/result.h"
#include "runtime/sample/sampler.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate {

/// From generation_config.json: temperature, top_k, top_p, min_p, typical_p, repetition_penalty; or
/// from a GGUF's general.sampling.* keys. Greedy if do_sample is false, and if neither do_sample
/// nor a temperature or limit is there (Transformers' default). Errors name file and key: not a
/// number, out of range.
Result<runtime::SamplingParams> ReadDefaultSampling(const formats::ModelFiles& files);

}  // namespace ergo::generate
