/** Preprocessing: from a model's probabilities to confidences. */

import { total } from "./numbers.js";

// About the resolution of float32 at 1; a probability of 0 has no logarithm.
export const SMALLEST_PROBABILITY = 1e-7;

/**
 * Calibrate probabilities by a temperature: softmax(log(p) / temperature).
 *
 * Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
 * @param {Float32Array} probabilities of one image
 * @param {number} temperature above 0; 1 changes nothing
 * @param {number | null} step quantization step of the probabilities; half of it replaces a zero
 * @returns {Float32Array}
 */
export function calibrate(probabilities, temperature, step) {
  const floor = Math.fround(step === null ? SMALLEST_PROBABILITY : step / 2);
  // In float64, so that equal confidences are equal on every machine, for any implementation of the logarithm.
  const logits = Array.from(probabilities, (p) => Math.log(Math.max(p, floor)) / temperature);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = total(powers);
  return Float32Array.from(powers, (power) => power / sum);
}
