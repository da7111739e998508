/* printf of numbers with the text in flash, which an AVR would copy to its 2 KB of RAM. */
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
