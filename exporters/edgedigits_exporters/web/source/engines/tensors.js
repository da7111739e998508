/** Quantize pixels and dequantize outputs exactly as edgedigits_runtime/preprocessing.py, in float32. */

import { rint } from "../reader/numbers.js";

/** Typed array by dtype. */
export const TENSOR_ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

/**
 * Return framed images normalised and quantized as the network's input tensor.
 *
 * @param {Uint8Array} framed [count, height, width, channels], ink bright on dark
 * @param {number} count
 * @param {object} contract of the network
 * @returns {Float32Array | Int8Array | Uint8Array} of the same length
 */
export function fedTensor(framed, count, contract) {
  const real = normalised(contract.polarity === "dark-on-bright" ? framed.map((pixel) => 255 - pixel) : framed, count,
    contract);
  const { dtype, scale, zero_point: zero } = contract.input;
  if (scale === null) {
    return real;
  }
  const [low, high] = dtype === "int8" ? [-128, 127] : [0, 255];
  const step = Math.fround(scale);
  const stored = (value) => Math.min(Math.max(rint(Math.fround(value / step)) + zero, low), high);
  return TENSOR_ARRAYS[dtype].from(real, stored);
}

/**
 * @param {Float32Array | Int8Array | Uint8Array} stored the output tensor
 * @param {{scale: number | null, zero_point: number | null}} tensor the contract's output
 * @returns {Float32Array} of the same length
 */
export function dequantized(stored, tensor) {
  const step = Math.fround(tensor.scale);
  return tensor.scale === null ? stored : Float32Array.from(stored, (value) => (value - tensor.zero_point) * step);
}

/** Return the height, width and channels of one image. */
export function imageShape({ image, layout = "NHWC", input }) {
  return image ?? [..."HWC"].map((axis) => (layout.includes(axis) ? input.shape[layout.indexOf(axis)] : 1));
}

/** Return the number of values that the network returns for an image. */
export function valuesOf({ labels, non_digit: nonDigit = false, output_kind: kind }) {
  return kind === "sigmoid" ? 1 : labels.length + (nonDigit ? 1 : 0);
}

/**
 * Return the network's real outputs as probabilities, one per label and, if there is that output, one of a non-digit.
 *
 * @param {Float32Array} values real outputs of `count` images
 * @param {number} count
 * @param {{output_kind?: string}} contract of the network
 * @returns {Float32Array}
 */
export function probabilitiesOf(values, count, { output_kind: kind = "probabilities", output }) {
  if (kind === "probabilities") return values;
  const size = values.length / count;
  const rows = Array.from({ length: count }, (_, k) => values.slice(k * size, (k + 1) * size));
  return Float32Array.from(rows.flatMap((row) => rowOfProbabilities(Array.from(row), kind, output?.scale ?? 0)));
}

function rowOfProbabilities(row, kind, step) {
  if (kind === "sigmoid") return [Math.fround(1 - row[0]), row[0]];
  const largest = Math.max(...row);
  // A stored zero counts as half a step.
  const powers = kind === "sigmoids" ? row.map((value) => Math.max(value, step / 2)) : row.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => (sum > 0 ? power / sum : 1 / row.length));
}

function normalised(framed, count, contract) {
  const { normalisation } = contract;
  if (normalisation === "column-l2") return columnsOfLengthOne(framed, count, contract);
  if (normalisation === "unit") return Float32Array.from(framed, (pixel) => pixel / 255);
  const [scale, offset] = [normalisation.scale, normalisation.offset].map((part) => Float32Array.from(part));
  const at = (part, k) => part[part.length > 1 ? k % part.length : 0];
  return Float32Array.from(framed, (pixel, k) => Math.fround(pixel * at(scale, k)) + at(offset, k));
}

function columnsOfLengthOne(framed, count, contract) {
  const [height, width, channels] = imageShape(contract);
  const across = width * channels;
  const made = new Float32Array(framed.length);
  for (let k = 0; k < count * across; k++) {
    const top = Math.floor(k / across) * height * across + (k % across);
    const column = Array.from({ length: height }, (_, y) => top + y * across);
    // A sum of squares of bytes is exact in float32.
    const length = Math.fround(Math.sqrt(column.reduce((sum, at) => sum + framed[at] ** 2, 0)));
    for (const at of column) {
      made[at] = framed[at] / (length || 1);
    }
  }
  return made;
}
