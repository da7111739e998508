/** Any ONNX model, by ONNX Runtime: its script stands before the page's own and leaves `globalThis.ort`. */

import { dequantized, fedTensor, TENSOR_ARRAYS } from "./tensors.js";

/** Pictures that are computed in one call, where the network leaves that open; more only need more memory. */
const MOST_TOGETHER = 64;

/**
 * @param {Uint8Array} runtime ONNX Runtime's own WebAssembly
 * @param {Uint8Array} model the `.onnx` file
 * @param {object} contract of the network
 * @returns {Promise<import("./wasm.js").Engine>}
 */
export async function onnxruntimeEngine(runtime, model, contract) {
  const { InferenceSession, Tensor, env } = globalThis.ort;
  env.wasm.wasmBinary = runtime;
  // Threads would need headers that no folder can send along.
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  const { input, output } = contract;
  const sizes = input.shape.slice(1);
  const size = sizes.reduce((product, length) => product * length);
  const together = input.shape[0] ?? MOST_TOGETHER;

  async function invoke(framed, count) {
    const stored = new TENSOR_ARRAYS[output.dtype](count * contract.labels.length);
    for (let first = 0; first < count; first += together) {
      const some = Math.min(together, count - first);
      const pixels = framed.subarray(first * size, (first + some) * size);
      const tensor = new Tensor(input.dtype, fedTensor(pixels, some, contract), [some, ...sizes]);
      const answer = await session.run({ [input.name]: tensor });
      stored.set(answer[output.name].data, first * contract.labels.length);
    }
    return stored;
  }
  return { name: "onnxruntime-web", invoke, run: async (...given) => dequantized(await invoke(...given), output) };
}
