/** The worker of the exported page: opens the networks and reads pictures, so that the page never waits. */

import { replayGolden } from "./engines/golden.js";
import { wasmFinder } from "./engines/finder.js";
import { onnxruntimeEngine } from "./engines/onnxruntime.js";
import { unpacked } from "./engines/packed.js";
import { wasmEngine } from "./engines/wasm.js";
import { Reader } from "./reader/reader.js";

const ENGINES = {
  "wasm": async ({ model }, contract) => wasmEngine(await unpacked(model), contract),
  "onnxruntime-web": async ({ runtime, model }, contract) => (
    onnxruntimeEngine(await unpacked(runtime), await unpacked(model), contract)
  ),
};

/** The open reader. @type {Promise<Reader>} */
let opening;

/** What the page asks for, by name; see backends/local.js. */
const TASKS = {
  open({ settings, parts }) {
    opening = open(settings, parts);
    return opening.then(({ engine }) => engine.name);
  },
  async read({ picture, name }) {
    return (await opening).read(picture, { name });
  },
};

async function open({ engine: name, contract, golden, finder }, parts) {
  const engine = await ENGINES[name](parts, contract);
  await replayGolden(engine, golden);
  return new Reader(engine, contract, { finder: finder ? await wasmFinder(await unpacked(parts.finder), finder) : null });
}

addEventListener("message", async ({ data: { id, task, given } }) => {
  try {
    postMessage({ id, result: await TASKS[task](given) });
  } catch (error) {
    postMessage({ id, error: error.message });
  }
});
