/** The exported page: network, reader and settings are in elements of the page. */

import { start } from "./app.js";
import { localBackend } from "./backends/local.js";

const textOf = (id) => document.getElementById(id).textContent;

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
const parts = Object.fromEntries(settings.parts.map((name) => [name, textOf(name)]));
const backend = localBackend({ worker: textOf("worker"), settings, parts });
start(backend).then(() => performance.mark("ready to read"));
makeInstallable();
