// Included (without a guard) before code that is compiled for AVX2, FMA and F16C. The standard and
// intrinsic headers must have been included before: only our own functions may need the processor.
// clang-format off
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
// g++ 12 warns of its own intrinsics: they start from a deliberately undefined register.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx2,fma,f16c,bmi2")
#endif
