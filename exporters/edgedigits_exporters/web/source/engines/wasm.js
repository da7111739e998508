/** The network as WebAssembly, compiled from the C export: its outputs are LiteRT's, bit for bit. */

import { dequantized, imageShape, probabilitiesOf, valuesOf } from "./tensors.js";

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {(framed: Uint8Array, count: number) => Promise<Int8Array | Uint8Array | Float32Array>} invoke
 *   From `count` images of 28x28, by rows, ink bright on dark, to the output tensor: `count` rows of the
 *   number of values that `valuesOf` returns.
 * @property {(framed: Uint8Array, count: number) => Promise<Float32Array>} run
 *   The same as probabilities, 0..1, of the labels and, if the contract has `non_digit`, last of a non-digit.
 * @property {(framed: Uint8Array) => {name: string, shape: number[], data: Uint8Array}[]} [look]
 *   Runs one image and returns the output of each layer, stored plus 128, by rows.
 */

/**
 * @param {Uint8Array} module the `.wasm` file
 * @param {object} contract of the network
 * @param {{name: string, shape: number[]}[]} [layers] of the network, in the order of its C code
 * @returns {Promise<Engine>}
 */
export async function wasmEngine(module, contract, layers = []) {
  const { instance } = await WebAssembly.instantiate(module);
  const { memory, digits_pixels: pixelsAt, digits_outputs: outputsAt, digits_run: runNetwork } = instance.exports;
  const size = imageShape(contract).reduce((product, length) => product * length);
  const values = valuesOf(contract);
  let pixels;
  let outputs;
  const takeMemory = () => {
    pixels = new Uint8Array(memory.buffer, pixelsAt(), size);
    outputs = new Int8Array(memory.buffer, outputsAt(), values);
  };
  takeMemory();

  function look(framed) {
    pixels.set(framed);
    let at = instance.exports.digits_look();
    if (!at) throw new RangeError("no memory for the layers");
    // The memory may have grown, which detaches earlier views.
    takeMemory();
    return layers.map(({ name, shape }) => {
      const length = shape.reduce((product, side) => product * side);
      at += length;
      return { name, shape, data: new Uint8Array(memory.buffer, at - length, length).slice() };
    });
  }
  async function invoke(framed, count) {
    const stored = new Int8Array(count * values);
    for (let k = 0; k < count; k++) {
      pixels.set(framed.subarray(k * size, (k + 1) * size));
      runNetwork();
      stored.set(outputs, k * values);
    }
    // The C code stores int8; a uint8 tensor stores the same plus 128.
    return contract.output.dtype === "uint8" ? Uint8Array.from(stored, (value) => value + 128) : stored;
  }
  async function run(framed, count) {
    return probabilitiesOf(dequantized(await invoke(framed, count), contract.output), count, contract);
  }
  return { name: "wasm", invoke, run, look };
}
