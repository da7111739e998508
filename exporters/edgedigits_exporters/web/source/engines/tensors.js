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
  const real = contract.normalisation === "column-l2" ? columnsOfLengthOne(framed, count, contract) : unitPixels(framed);
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

function unitPixels(framed) {
  return Float32Array.from(framed, (pixel) => pixel / 255);
}

function columnsOfLengthOne(framed, count, contract) {
  const [, height, width, channels] = contract.input.shape;
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
