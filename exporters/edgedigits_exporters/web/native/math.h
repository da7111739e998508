/* The function of math.h that digits.c uses: one WebAssembly instruction. */
#define sqrtf __builtin_sqrtf
