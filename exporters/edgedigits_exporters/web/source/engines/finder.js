/** The finder's network as WebAssembly, for pictures of any size: its outputs are LiteRT's, bit for bit. */

import { STRIDES } from "../reader/found.js";

const CELL = STRIDES[STRIDES.length - 1];

/**
 * @param {Uint8Array} module the `.wasm` file
 * @param {{side: number, threshold: number, outputs: {scale: number, zero: number}[]}} facts outputs: heat and box of
 *   each stride; real = (stored - zero) * scale
 * @returns {Promise<import("../reader/find.js").FinderNetwork>}
 */
export async function wasmFinder(module, { side, threshold, outputs }) {
  const { instance } = await WebAssembly.instantiate(module);
  const { memory, finder_pixels: pixelsFor, finder_run: runNetwork } = instance.exports;

  function run(data, width, height) {
    const pixelsAt = pixelsFor(height / CELL, width / CELL);
    if (!pixelsAt) throw new RangeError(`no memory for the finder on ${width}x${height} pixels`);
    // The memory may have grown, which detaches earlier views.
    new Uint8Array(memory.buffer).set(data, pixelsAt);
    let at = runNetwork();
    const real = (count, { scale, zero }) => {
      const stored = new Uint8Array(memory.buffer, at, count);
      const step = Math.fround(scale);
      at += count;
      return Float32Array.from(stored, (value) => (value - zero) * step);
    };
    return STRIDES.map((stride, k) => {
      const [rows, columns] = [height / stride, width / stride];
      const heat = real(2 * rows * columns, outputs[2 * k]);
      return { rows, columns, heat, box: real(4 * rows * columns, outputs[2 * k + 1]) };
    });
  }
  return { side, threshold, run };
}
