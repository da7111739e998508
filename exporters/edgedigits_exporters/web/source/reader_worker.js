/** The worker of the exported page: opens the networks and reads pictures, so that the page never waits. */

import { replayGolden } from "./engines/golden.js";
import { wasmFinder } from "./engines/finder.js";
import { onnxruntimeEngine } from "./engines/onnxruntime.js";
import { unpacked } from "./engines/packed.js";
import { wasmEngine } from "./engines/wasm.js";
import { compare, explain } from "./explaining.js";
import { MAX_PIXELS } from "./reader/decode.js";
import { Reader } from "./reader/reader.js";
import { reduced } from "./reducing.js";

const ENGINES = {
  "wasm": async ({ model }, contract, layers) => wasmEngine(await unpacked(model), contract, layers),
  "onnxruntime-web": async ({ runtime, model }, contract) => (
    onnxruntimeEngine(await unpacked(runtime), await unpacked(model), contract)
  ),
};

/** The open reader. @type {Promise<Reader>} */
let opening;

/** The page's network and those beside it, opened when they are first compared; see compare. */
let openNetworks;
let comparing;

/** What the page asks for, by name; see backends/local.js. */
const TASKS = {
  open({ settings, parts }) {
    opening = open(settings, parts);
    openNetworks = () => networksOf(settings, parts);
    return opening.then(({ engine }) => engine.name);
  },
  async read({ picture, name }) {
    return (await opening).read(picture instanceof Blob ? await reduced(picture, MAX_PIXELS) : picture, { name });
  },
  async look({ framed }) {
    return (await opening).engine.look(framed);
  },
  async explain({ framed }) {
    return explain((await opening).engine, framed);
  },
  async compare({ framed }) {
    comparing ??= openNetworks();
    return compare(await comparing, framed);
  },
};

async function networksOf({ contract, bytes, beside }, parts) {
  const { engine } = await opening;
  const others = beside.map(async ({ contract: own, bytes: size, golden }) => {
    const other = await wasmEngine(await unpacked(parts[`model-${own.name}`]), own);
    await replayGolden(other, golden);
    return { engine: other, name: own.name, bytes: size };
  });
  const all = [{ engine, name: contract.name, bytes }, ...await Promise.all(others)];
  return all.sort((one, other) => one.bytes - other.bytes);
}

async function open({ engine: name, contract, golden, finder, layers }, parts) {
  const engine = await ENGINES[name](parts, contract, layers);
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
