/** The exported page: network and settings are in elements of the page. */

import { start } from "./app.js";
import { localBackend, replayGolden } from "./backends/local.js";
import { wasmFinder } from "./engines/finder.js";
import { onnxruntimeEngine } from "./engines/onnxruntime.js";
import { unpacked } from "./engines/packed.js";
import { wasmEngine } from "./engines/wasm.js";

const textOf = (id) => document.getElementById(id).textContent;
const part = (id) => unpacked(textOf(id));

const ENGINES = {
  "wasm": async (contract) => wasmEngine(await part("model"), contract),
  "onnxruntime-web": async (contract) => onnxruntimeEngine(await part("runtime"), await part("model"), contract),
};

async function openEngine({ engine: name, contract, golden }) {
  const engine = await ENGINES[name](contract);
  await replayGolden(engine, golden);
  return engine;
}

/** Open the finder, if the page has one. */
const openFinder = async ({ finder }) => (finder ? wasmFinder(await part("finder"), finder) : null);

function makeInstallable() {
  // Browsers refuse both to a page from disk, with an error on the console.
  if (!location.protocol.startsWith("http")) {
    return;
  }
  const link = document.createElement("link");
  link.rel = "manifest";
  link.href = "manifest.webmanifest";
  document.head.append(link);
  navigator.serviceWorker
    ?.register("service_worker.js")
    .catch((error) => console.warn(`The page cannot be cached for offline use: ${error.message}`));
}

const settings = JSON.parse(textOf("settings"));
start(localBackend(openEngine(settings), settings.contract, openFinder(settings))).then(() => performance.mark("ready to read"));
makeInstallable();
