/* Offsets in the scratch memory: rows of each layer (0 is the input), and further memory. */
#if LANES > 1
@WIDE@
#else
@NARROW@
#endif
