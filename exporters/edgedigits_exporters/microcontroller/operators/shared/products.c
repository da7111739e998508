/* Sum the products of one or two patches with up to BLOCK rows of weights: sums[patch * BLOCK + row]. */
#if DUAL_MULTIPLIES
/* Two products an instruction: a patch is stored as pairs of 16-bit values, the first and third of each four, then the
   second and fourth, since SXTB16 splits weights this way. Two patches alternate, so that one load brings a four of
   each; compilers do not make such loads, so it is in assembly. */
typedef uint32_t patch_value;

/* Store a patch as each of `patches`. */
KERNEL void take_patch(const uint8_t *bytes, int length, int patches, patch_value *patch)
{
    int k = 0;

    for (; k + 3 < length; k += 4, patch += 2 * patches) {
        const uint32_t four = word_at(bytes + k);
        patch[0] = (uint32_t)__uxtb16((uint8x4_t)four);
        patch[1] = odd_values(four);
    }
    if (k < length) {
        uint32_t rest = 0;
        memcpy(&rest, bytes + k, (size_t)(length - k));
        patch[0] = (uint32_t)__uxtb16((uint8x4_t)rest);
        patch[1] = odd_values(rest);
    }
}

KERNEL void products(const patch_value *patch, int step, int patches, const int8_t *weights, int rows, int length,
                     int32_t *sums)
{
    /* The last of 3x3 values is alone. */
    const int alone = length % 4 == 1;
    const patch_value *const end = patch + (length + 3 - 4 * alone) / 4 * 2 * patches;
    int32_t a = 0, b = 0, c = 0, d = 0;

    (void)step;
    DO_NOT_UNROLL
    for (; patch != end; weights += 4) {
        /* LDM loads into ascending registers; a call may change them, so they are copied at once. */
        register uint32_t r2 __asm__("r2"), r3 __asm__("r3"), r4 __asm__("r4") = 0, r5 __asm__("r5") = 0;
        if (patches == 2)
            __asm__("ldmia %0!, {%1, %2, %3, %4}" : "+&r"(patch), "=&r"(r2), "=&r"(r3), "=&r"(r4), "=&r"(r5) : : "memory");
        else
            __asm__("ldmia %0!, {%1, %2}" : "+&r"(patch), "=&r"(r2), "=&r"(r3) : : "memory");
        const int16x2_t x = (int16x2_t)r2, y = (int16x2_t)r3, z = (int16x2_t)r4, t = (int16x2_t)r5;
        const uint32_t u = word_at(weights);
        const int16x2_t m = __sxtb16((int8x4_t)u), n = odd_weights(u);
        a = __smlad(y, n, __smlad(x, m, a));
        if (patches == 2) c = __smlad(t, n, __smlad(z, m, c));
        if (rows == 2) {
            const uint32_t v = word_at(weights + length);
            const int16x2_t o = __sxtb16((int8x4_t)v), q = odd_weights(v);
            b = __smlad(y, q, __smlad(x, o, b));
            if (patches == 2) d = __smlad(t, q, __smlad(z, o, d));
        }
    }
    if (alone) {
        const int32_t x = (int32_t)patch[0], z = patches == 2 ? (int32_t)patch[2] : 0;
        a += x * weights[0];
        if (rows == 2) b += x * weights[length];
        if (patches == 2) c += z * weights[0];
        if (patches == 2 && rows == 2) d += z * weights[length];
    }
    sums[0] = a;
    if (rows == 2) sums[1] = b;
    if (patches == 2) sums[BLOCK] = c;
    if (patches == 2 && rows == 2) sums[BLOCK + 1] = d;
}
#elif defined(__ARM_FEATURE_MVE)
/* Eight products an instruction; loads widen the bytes. */
typedef uint8_t patch_value;

KERNEL void products(const patch_value *patch, int step, int patches, const int8_t *weights, int rows, int length,
                     int32_t *sums)
{
    int32_t a = 0, b = 0, c = 0, d = 0;

    for (int k = 0; k < length; k += LANES) {
        const int16x8_t x = vreinterpretq_s16_u16(vldrbq_u16(patch + k)), m = vldrbq_s16(weights + k);
        a = vmladavaq_s16(a, x, m);
        if (rows == 2) b = vmladavaq_s16(b, x, vldrbq_s16(weights + length + k));
        if (patches == 2) {
            const int16x8_t y = vreinterpretq_s16_u16(vldrbq_u16(patch + step + k));
            c = vmladavaq_s16(c, y, m);
            if (rows == 2) d = vmladavaq_s16(d, y, vldrbq_s16(weights + length + k));
        }
    }
    sums[0] = a;
    if (rows == 2) sums[1] = b;
    if (patches == 2) sums[BLOCK] = c;
    if (patches == 2 && rows == 2) sums[BLOCK + 1] = d;
}
#elif defined(__wasm_simd128__)
/* Eight products and the sums of pairs an instruction; loads widen the bytes. */
typedef uint8_t patch_value;

KERNEL int32_t sum_of(v128_t lanes)
{
    lanes = wasm_i32x4_add(lanes, wasm_i32x4_shuffle(lanes, lanes, 2, 3, 0, 1));
    return wasm_i32x4_extract_lane(lanes, 0) + wasm_i32x4_extract_lane(lanes, 1);
}

KERNEL void products(const patch_value *patch, int step, int patches, const int8_t *weights, int rows, int length,
                     int32_t *sums)
{
    v128_t a[2 * BLOCK];

    _Pragma("GCC unroll 8")
    for (int i = 0; i < 2 * BLOCK; i++) a[i] = wasm_i32x4_splat(0);
    DO_NOT_UNROLL
    for (int k = 0; k < length; k += LANES) {
        const v128_t x = wasm_u16x8_load8x8(patch + k);
        const v128_t y = patches == 2 ? wasm_u16x8_load8x8(patch + step + k) : x;
        _Pragma("GCC unroll 4")
        for (int r = 0; r < rows; r++) {
            const v128_t m = wasm_i16x8_load8x8(weights + times(r, length) + k);
            a[r] = wasm_i32x4_add(a[r], wasm_i32x4_dot_i16x8(x, m));
            if (patches == 2) a[BLOCK + r] = wasm_i32x4_add(a[BLOCK + r], wasm_i32x4_dot_i16x8(y, m));
        }
    }
    _Pragma("GCC unroll 4")
    for (int r = 0; r < rows; r++) sums[r] = sum_of(a[r]);
    if (patches == 2)
        _Pragma("GCC unroll 4")
        for (int r = 0; r < rows; r++) sums[BLOCK + r] = sum_of(a[BLOCK + r]);
}
#elif BLOCK == 2
/* Use each loaded value twice. */
typedef uint8_t patch_value;

KERNEL void products(const patch_value *patch, int step, int patches, const int8_t *weights, int rows, int length,
                     int32_t *sums)
{
    int32_t a = 0, b = 0, c = 0, d = 0;

    for (int k = 0; k < length; k++) {
        const int32_t x = patch[k], y = patches == 2 ? patch[step + k] : 0;
        const int32_t m = READ_INT8(weights + k), n = rows == 2 ? READ_INT8(weights + length + k) : 0;
        a += x * m;
        b += x * n;
        c += y * m;
        d += y * n;
    }
    sums[0] = a;
    if (rows == 2) sums[1] = b;
    if (patches == 2) sums[BLOCK] = c;
    if (patches == 2 && rows == 2) sums[BLOCK + 1] = d;
}
#else
typedef uint8_t patch_value;

KERNEL void products(const patch_value *patch, int step, int patches, const int8_t *weights, int rows, int length,
                     int32_t *sums)
{
    const int rounded = (length + LANES - 1) / LANES * LANES;

    for (int p = 0; p < patches; p++, patch += step, sums += BLOCK) {
        const int8_t *row = weights;
        int r = 0;

#if LANES > 1
        /* Four rows share the loaded values of the patch. */
        for (; r + 4 <= rows; r += 4, row += times(4, length)) {
            int32_t a = 0, b = 0, c = 0, d = 0;
            DO_NOT_UNROLL
            for (int k = 0; k < rounded; k++) {
                a += patch[k] * row[k];
                b += patch[k] * row[length + k];
                c += patch[k] * row[2 * length + k];
                d += patch[k] * row[3 * length + k];
            }
            sums[r] = a;
            sums[r + 1] = b;
            sums[r + 2] = c;
            sums[r + 3] = d;
        }
#endif
        for (; r < rows; r++, row += length) {
            int32_t sum = 0;
            DO_NOT_UNROLL
            for (int k = 0; k < rounded; k++) sum += patch[k] * READ_INT8(row + k);
            sums[r] = sum;
        }
    }
}
#endif
