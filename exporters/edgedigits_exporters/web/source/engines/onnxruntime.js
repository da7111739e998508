/** Any ONNX model, with ONNX Runtime: its script runs before the page's own and sets `globalThis.ort`. */

import { dequantized, fedTensor, TENSOR_ARRAYS } from "./tensors.js";

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
  const sizes = input.shape.slice(1);
  const size = sizes.reduce((product, length) => product * length);
  const batch = input.shape[0] ?? MAX_BATCH;

  async function invoke(framed, count) {
    const stored = new TENSOR_ARRAYS[output.dtype](count * contract.labels.length);
    for (let first = 0; first < count; first += batch) {
      const some = Math.min(batch, count - first);
      const pixels = framed.subarray(first * size, (first + some) * size);
      const tensor = new Tensor(input.dtype, fedTensor(pixels, some, contract), [some, ...sizes]);
      const outputs = await session.run({ [input.name]: tensor });
      stored.set(outputs[output.name].data, first * contract.labels.length);
    }
    return stored;
  }
  return { name: "onnxruntime-web", invoke, run: async (...given) => dequantized(await invoke(...given), output) };
}
