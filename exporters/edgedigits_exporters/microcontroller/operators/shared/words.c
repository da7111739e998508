/* Load four bytes, aligned or not, as a word. */
#if DUAL_MULTIPLIES
static inline uint32_t word_at(const void *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The second and fourth byte of a word, widened. Compilers do not join the rotation with the instruction. */
static inline int16x2_t odd_weights(uint32_t four)
{
    int16x2_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(four));
    return pair;
}

static inline uint32_t odd_values(uint32_t four)
{
    uint32_t pair;
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(four));
    return pair;
}
#endif
