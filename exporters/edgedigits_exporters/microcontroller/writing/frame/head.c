/* Rows, columns and counts are whole numbers side by side. NOLINTBEGIN(bugprone-easily-swappable-parameters) */

/* Every value is stored plus 128, as uint8: what the file calls -128 is 0 here. A pixel is then fed as it is. */

/* Multiplying and adding in one rounding would round otherwise than the model does. */
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
