/* The functions of string.h that digits.c uses; WebAssembly has instructions for both. */
#include <stddef.h>
#define memcpy __builtin_memcpy
#define memset __builtin_memset
