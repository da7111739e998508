/** Any ONNX model, with ONNX Runtime: its script runs before the page's own and sets `globalThis.ort`. */

import { dequantized, fedTensor, imageShape, probabilitiesOf, TENSOR_ARRAYS, valuesOf } from "./tensors.js";

/** Batch size of a network with any batch size; larger batches only need more memory. */
const MAX_BATCH = 64;

/**
 * @param {Uint8Array} runtime ONNX Runtime's own WebAssembly
 * @param {Uint8Array} model the `.onnx` file
 * @param {object} contract of the network
 * @returns {Promise<import("./wasm.js").Engine>}
 */
export async function onnxruntimeEngine(runtime, model, contract) {
  const { InferenceSession, Tensor, env } = globalThis.ort;
  env.wasm.wasmBinary = runtime;
  // Threads need HTTP headers that a static folder cannot set.
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  const { input, output } = contract;
  const size = imageShape(contract).reduce((product, length) => product * length);
  const values = valuesOf(contract);
  // Without an axis for the batch, the network takes one image.
  const batched = (contract.layout ?? "NHWC").startsWith("N");
  const sizes = batched ? input.shape.slice(1) : input.shape;
  const fixed = batched ? input.shape[0] : 1;
  const batch = fixed ?? MAX_BATCH;

  async function invoke(framed, count) {
    const stored = new TENSOR_ARRAYS[output.dtype](count * values);
    for (let first = 0; first < count; first += batch) {
      const some = Math.min(batch, count - first);
      // A fixed batch is filled with zeros.
      const length = fixed ?? some;
      const pixels = new Uint8Array(length * size);
      pixels.set(framed.subarray(first * size, (first + some) * size));
      const shape = batched ? [length, ...sizes] : sizes;
      const outputs = await session.run({ [input.name]: new Tensor(input.dtype, fedTensor(pixels, length, contract), shape) });
      stored.set(outputs[output.name].data.subarray(0, some * values), first * values);
    }
    return stored;
  }

  async function run(framed, count) {
    return probabilitiesOf(dequantized(await invoke(framed, count), output), count, contract);
  }
  return { name: "onnxruntime-web", invoke, run };
}
