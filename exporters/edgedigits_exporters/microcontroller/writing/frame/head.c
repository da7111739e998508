/* Many parameters are integers. NOLINTBEGIN(bugprone-easily-swappable-parameters) */

/* Every int8 value is stored plus 128, as uint8, so that a pixel needs no conversion. */

/* A fused multiply-add rounds once where the model rounds twice. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "digits.h"

#include <stddef.h>
#include <string.h>
#if defined(__ARM_FEATURE_SAT) || defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
#endif
#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif
