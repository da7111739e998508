/** Read pictures in the page, which contains the reader and the network. */

import { unpacked } from "../engines/packed.js";
import { Reader } from "../reader/reader.js";

/** Float kernels of another processor may round otherwise; integer outputs must be equal. */
const FLOAT_TOLERANCE = 1e-4;

/**
 * @param {Promise<import("../engines/wasm.js").Engine>} opening
 * @param {object} contract of the engine's network
 * @param {Promise<import("../reader/find.js").FinderNetwork | null>} finding finds digits; null: by rules
 * @returns {import("./server.js").Backend}
 */
export function localBackend(opening, contract, finding) {
  return {
    async describe() {
      const engine = await opening;
      const privacy = "Pictures stay on this device; the network is part of the page.";
      return { model: contract.name, engine: engine.name, device: "cpu", labels: contract.labels, privacy };
    },
    async read(picture, { signal } = {}) {
      const reader = new Reader(await opening, contract, { finder: await finding });
      signal?.throwIfAborted();
      return reader.read(picture, { name: picture.name });
    },
  };
}

/**
 * Replay golden vectors, recorded on the machine that exported the network.
 *
 * @param {import("../engines/wasm.js").Engine} engine
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
