/* What digits.c takes of math.h; it is one instruction of WebAssembly. */
#define sqrtf __builtin_sqrtf
