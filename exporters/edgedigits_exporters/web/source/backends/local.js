/** Read pictures in the page, whose worker contains the reader and the network. */

import { startWorker } from "./worker.js";

/**
 * @param {{worker: string, settings: object, parts: Object<string, string>}} page  The worker's script, the exporter's
 *   settings, and packed networks by name.
 * @returns {import("./server.js").Backend}
 */
export function localBackend({ worker, settings, parts }) {
  const call = startWorker(worker);
  const opening = call("open", { settings, parts });
  // Reported by each task that waits for it.
  opening.catch(() => {});
  const { name: model, labels } = settings.contract;
  return {
    async describe() {
      const privacy = "Pictures stay on this device; the network is part of the page.";
      return { model, engine: await opening, device: "cpu", labels, privacy, bytes: settings.bytes };
    },
    async read(picture) {
      await opening;
      return call("read", { picture, name: picture.name });
    },
    ...(settings.engine === "wasm" && {
      look: (framed) => call("look", { framed }),
      explain: (framed) => call("explain", { framed }),
    }),
    ...(settings.beside?.length && { compare: (framed) => call("compare", { framed }) }),
  };
}
