/** Read pictures in the page itself: the reader and the network are part of it. */

import { unpacked } from "../engines/packed.js";
import { Reader } from "../reader/reader.js";

/** Float kernels of another processor may differ by rounding; whole numbers may not differ at all. */
const FLOAT_TOLERANCE = 1e-4;

/**
 * @param {Promise<import("../engines/wasm.js").Engine>} opening
 * @param {object} contract of the engine's network
 * @returns {import("./server.js").Backend}
 */
export function localBackend(opening, contract) {
  return {
    async describe() {
      const engine = await opening;
      const privacy = "Pictures stay on this device: the network is in the page.";
      return { model: contract.name, engine: engine.name, device: "cpu", labels: contract.labels, privacy };
    },
    async read(picture, { signal } = {}) {
      const reader = new Reader(await opening, contract);
      signal?.throwIfAborted();
      return reader.read(picture, { name: picture.name });
    },
  };
}

/**
 * Replay the pictures that the network answered where it was made.
 *
 * @param {import("../engines/wasm.js").Engine} engine
 * @param {{framed: string, output: string}} golden  packed: n pictures of 28x28, and what the output tensor stored
 * @throws {Error} This browser computes something else.
 */
export async function replayGolden(engine, golden) {
  const framed = await unpacked(golden.framed);
  const found = await engine.invoke(framed, framed.length / 784);
  const expected = new found.constructor((await unpacked(golden.output)).buffer);
  const tolerance = found instanceof Float32Array ? FLOAT_TOLERANCE : 0;
  const differ = found.filter((value, k) => !(Math.abs(value - expected[k]) <= tolerance));
  if (differ.length || found.length !== expected.length) {
    throw new Error(`This browser does not compute what the network's maker did: ${differ.length} values differ.`);
  }
}
