// Run the golden pictures through the network and print on the serial monitor whether every value is right.
#include <digits.h>

#include "golden.h"

static int32_t scratch[(DIGITS_SCRATCH_BYTES + 3) / 4];

void setup() {
  Serial.begin(115200);
  while (!Serial) {
  }
  unsigned long started = micros();
  int wrong = golden_wrong(scratch);
  unsigned long taken = (micros() - started) / (GOLDEN_PICTURES + GOLDEN_FRAMES);
  Serial.print(F("edgedigits selftest: "));
  Serial.print(wrong ? F("FAIL, ") : F("pass, "));
  Serial.print(GOLDEN_PICTURES + GOLDEN_FRAMES - wrong);
  Serial.print(F(" pictures right, microseconds each: "));
  Serial.println(taken);
}

void loop() {}
