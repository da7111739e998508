/** Preprocessing: from the probabilities that a model gives to confidences. */

// About float32's resolution at 1; a probability of 0 has no logarithm.
const SMALLEST_PROBABILITY = 1e-7;

/**
 * Soften or sharpen probabilities by a temperature: softmax(log(p) / temperature), in float32 as NumPy does.
 *
 * Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.
 * @param {Float32Array} probabilities of one image
 * @param {number} temperature above 0; 1 changes nothing
 * @param {number | null} step between neighbouring probabilities of a quantized output; a zero is taken as half of it
 * @returns {Float32Array}
 */
export function calibrate(probabilities, temperature, step) {
  const floor = Math.fround(step === null ? SMALLEST_PROBABILITY : step / 2);
  const divisor = Math.fround(temperature);
  const logits = probabilities.map((p) => Math.fround(Math.log(Math.max(p, floor))) / divisor);
  const most = logits.reduce((highest, logit) => Math.max(highest, logit), -Infinity);
  const powers = logits.map((logit) => Math.exp(Math.fround(logit - most)));
  const sum = powers.reduce((all, power) => Math.fround(all + power), 0);
  return powers.map((power) => power / sum);
}
