/** The network as WebAssembly, compiled from the C export: its outputs are LiteRT's, bit for bit. */

import { dequantized } from "./tensors.js";

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {(framed: Uint8Array, count: number) => Promise<Int8Array | Uint8Array | Float32Array>} invoke
 *   From `count` images of 28x28, by rows, ink bright on dark, to the output tensor: `count` rows of one value per
 *   label.
 * @property {(framed: Uint8Array, count: number) => Promise<Float32Array>} run
 *   The same as probabilities, 0..1.
 */

/**
 * @param {Uint8Array} module the `.wasm` file
 * @param {object} contract of the network
 * @returns {Promise<Engine>}
 */
export async function wasmEngine(module, contract) {
  const { instance } = await WebAssembly.instantiate(module);
  const { memory, digits_pixels: pixelsAt, digits_outputs: outputsAt, digits_run: runNetwork } = instance.exports;
  const size = contract.input.shape.slice(1).reduce((product, length) => product * length);
  const classes = contract.labels.length;
  const pixels = new Uint8Array(memory.buffer, pixelsAt(), size);
  const outputs = new Int8Array(memory.buffer, outputsAt(), classes);

  async function invoke(framed, count) {
    const stored = new Int8Array(count * classes);
    for (let k = 0; k < count; k++) {
      pixels.set(framed.subarray(k * size, (k + 1) * size));
      runNetwork();
      stored.set(outputs, k * classes);
    }
    // The C code stores int8; a uint8 tensor stores the same plus 128.
    return contract.output.dtype === "uint8" ? Uint8Array.from(stored, (value) => value + 128) : stored;
  }
  return { name: "wasm", invoke, run: async (...given) => dequantized(await invoke(...given), contract.output) };
}
