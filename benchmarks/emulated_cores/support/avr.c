/* printf to the serial line, and an end of the program: the simulator ends at a sleep with interrupts off. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdio.h>

static int put(char character, FILE *stream)
{
    (void)stream;
    while (!(UCSR0A & (1 << UDRE0)))
        ;
    UDR0 = (uint8_t)character;
    return 0;
}

static FILE serial = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);

__attribute__((constructor)) static void start(void)
{
    UCSR0B = 1 << TXEN0;
    stdout = &serial;
}

__attribute__((destructor)) static void finish(void)
{
    cli();
    sleep_enable();
    sleep_cpu();
}
