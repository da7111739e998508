/** Check an engine with golden vectors, recorded on the machine that exported the network. */

import { unpacked } from "./packed.js";

/** Float kernels of another processor may round otherwise; integer outputs must be equal. */
const FLOAT_TOLERANCE = 1e-4;

/**
 * @param {import("./wasm.js").Engine} engine
 * @param {{framed: string, output: string}} golden  packed: n images of 28x28, and the output tensors
 * @throws {Error} This browser computes other outputs.
 */
export async function replayGolden(engine, golden) {
  const framed = await unpacked(golden.framed);
  const found = await engine.invoke(framed, framed.length / 784);
  const expected = new found.constructor((await unpacked(golden.output)).buffer);
  const tolerance = found instanceof Float32Array ? FLOAT_TOLERANCE : 0;
  const differ = found.filter((value, k) => !(Math.abs(value - expected[k]) <= tolerance));
  if (differ.length || found.length !== expected.length) {
    throw new Error(`This browser computes other outputs than the exporter did: ${differ.length} values differ.`);
  }
}
