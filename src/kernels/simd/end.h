// Ends what begin_avx2.h or begin_avx512.h began.
// clang-format off
#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#pragma GCC diagnostic pop
#endif
