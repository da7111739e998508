/* A trap on a RISC-V ends the emulator; picolibc has the other startup code. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((aligned(4), noreturn)) static void trap(void)
{
    uint32_t cause, address;
    __asm__ volatile(".option arch, +zicsr\n csrr %0, mcause\n csrr %1, mepc" : "=r"(cause), "=r"(address));
    printf("fault, mcause %lu at %08lx\n", (unsigned long)cause, (unsigned long)address);
    exit(70);
}

__attribute__((constructor)) static void start(void)
{
    __asm__ volatile(".option arch, +zicsr\n csrw mtvec, %0" : : "r"(trap));
}
