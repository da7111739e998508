/* printf of numbers, whose text stays in the flash: an AVR would copy it to its 2 KB of RAM. */
#ifndef PRINT_H
#define PRINT_H

#include <stdio.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define PRINT(text, ...) printf_P(PSTR(text), __VA_ARGS__)
#else
#define PRINT(text, ...) printf(text, __VA_ARGS__)
#endif

#endif
