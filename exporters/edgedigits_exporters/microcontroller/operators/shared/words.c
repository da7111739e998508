/* Load four bytes, aligned or not, as a word. */
#if DUAL_MULTIPLIES
static inline uint32_t word_at(const void *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}
#endif
