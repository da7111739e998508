/* Startup of a Cortex-M: vectors, the floating-point unit, semihosting, and a fault handler that ends the emulator. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char __bss_start__[], __bss_end__[], __stack[];
void initialise_monitor_handles(void); /* newlib's: opens the emulator's standard streams */
int main(void);
void reset(void);

void reset(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20; /* CPACR: CP10 and CP11, which Helium shares */
    __asm__ volatile("dsb\n isb");
#endif
    memset(__bss_start__, 0, (size_t)(__bss_end__ - __bss_start__));
    initialise_monitor_handles();
    exit(main());
}

static void fault(void)
{
    printf("fault, CFSR %08lx\n", (unsigned long)*(volatile uint32_t *)0xE000ED28);
    exit(70);
}

static void (*const vectors[])(void) __attribute__((section(".vectors"), used)) = {
    (void (*)(void))(uintptr_t)__stack, reset, fault, fault, fault, fault, fault,
};
