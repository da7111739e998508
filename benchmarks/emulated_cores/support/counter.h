/* The counter of each core, and its stack.
 *
 * The emulator runs under `-icount shift=0`: an instruction takes a nanosecond of its time. The timers of an AVR are exact. */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

/* Instructions of counter_loop, to check the emulator's counter. */
#define LOOP 1000000U

#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SYSTICK_CONTROL REGISTER(0xE000E010)
#define SYSTICK_RELOAD REGISTER(0xE000E014)
#define SYSTICK_VALUE REGISTER(0xE000E018)
#define COUNTER_ENOUGH (1UL << 22)

static inline void counter_loop(void)
{
    uint32_t turns = LOOP / 2;
    __asm__ volatile(".syntax unified\n1: subs %0, %0, #1\n bne 1b" : "+l"(turns) : : "cc");
}

/* SysTick runs downwards through 24 bits, at the clock of the board. */
static inline uint32_t counter_read(void)
{
    return SYSTICK_VALUE;
}

static inline uint32_t counter_between(uint32_t before, uint32_t now)
{
    return (before - now) & 0xFFFFFFU;
}

static inline void counter_start(void)
{
    SYSTICK_RELOAD = 0xFFFFFFU;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5; /* the processor's clock, enabled */
}

/* A tick of the board's clock is TICK_QUARTERS / 4 nanoseconds. */
static inline uint32_t counter_average(uint64_t ticks, uint32_t repetitions)
{
    return (uint32_t)((ticks * TICK_QUARTERS / 4 + repetitions / 2) / repetitions);
}

#elif defined(__riscv)

#define COUNTER_ENOUGH 1

static inline void counter_loop(void)
{
    uint32_t turns = LOOP / 2;
    __asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(turns));
}

static inline void counter_start(void) {}

static inline uint32_t counter_read(void)
{
    uint32_t value;
    __asm__ volatile(".option arch, +zicsr\n csrr %0, minstret" : "=r"(value));
    return value;
}

static inline uint32_t counter_between(uint32_t before, uint32_t now)
{
    return now - before;
}

static inline uint32_t counter_average(uint64_t ticks, uint32_t repetitions)
{
    return (uint32_t)(ticks / repetitions);
}

#elif defined(__AVR__)

#include <avr/io.h>

#define COUNTER_ENOUGH 1

static inline void counter_loop(void)
{
    uint32_t turns = LOOP / 5;
    __asm__ volatile("1: subi %A0, 1\n sbci %B0, 0\n sbci %C0, 0\n brne 1b" : "+d"(turns));
}

/* Three timers at 1, 1/64 and 1/1024 of the clock: cycles, exact, up to 67 million. */
static inline void counter_start(void)
{
    TCCR2B = 1;
    TCCR0B = 3;
    TCCR1B = 5;
}

static inline uint32_t counter_read(void)
{
    uint8_t fast = TCNT2, middle = TCNT0;
    return (uint32_t)TCNT1 << 16 | (uint32_t)middle << 8 | fast;
}

static inline uint32_t counter_between(uint32_t before, uint32_t now)
{
    uint32_t cycles = (uint32_t)(uint16_t)((now >> 16) - (before >> 16)) * 1024;
    uint8_t middle = (uint8_t)((now >> 8) - (before >> 8)), fast = (uint8_t)(now - before);
    /* Each finer timer corrects the coarser one by less than half its own range. */
    int16_t by = (int16_t)((uint16_t)((middle * 64U - (uint16_t)cycles) << 2)) / 4;
    cycles += (uint32_t)(int32_t)by;
    return cycles + (uint32_t)(int32_t)(int8_t)(fast - (uint8_t)cycles);
}

static inline uint32_t counter_average(uint64_t ticks, uint32_t repetitions)
{
    return (uint32_t)(ticks / repetitions);
}

#endif

/* The stack pointer of main, and the lowest address that may be painted. */
#ifdef __AVR__

extern uint8_t __heap_start;

static inline volatile uint8_t *stack_pointer(void)
{
    return (volatile uint8_t *)SP;
}

static inline volatile uint8_t *stack_bottom(void)
{
    return &__heap_start;
}

#else

static inline volatile uint8_t *stack_pointer(void)
{
    volatile uint8_t *pointer;
#ifdef __riscv
    __asm__ volatile("mv %0, sp" : "=r"(pointer));
#else
    __asm__ volatile("mov %0, sp" : "=r"(pointer));
#endif
    return pointer;
}

static inline volatile uint8_t *stack_bottom(void)
{
    return stack_pointer() - 65536;
}

#endif
#endif
