/** Calls to a worker. */

/**
 * Start a worker.
 *
 * @param {string} script
 * @returns {(task: string, given: object) => Promise<any>}  Rejects with an Error of one line for the user.
 */
export function startWorker(script) {
  // From disk a page may load no file, but it may run what it contains.
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(address);
  const calls = new Map();
  let failure = null;
  worker.addEventListener("message", ({ data: { id, result, error } }) => {
    const { resolve, reject } = calls.get(id);
    calls.delete(id);
    if (error === undefined) {
      resolve(result);
    } else {
      reject(new Error(error));
    }
  });
  worker.addEventListener("error", (event) => {
    failure = new Error(`This browser cannot run the reader: ${event.message ?? "it starts no worker"}`);
    for (const { reject } of calls.values()) {
      reject(failure);
    }
    calls.clear();
  });
  let last = 0;
  return (task, given) => new Promise((resolve, reject) => {
    if (failure) {
      reject(failure);
      return;
    }
    last += 1;
    calls.set(last, { resolve, reject });
    worker.postMessage({ id: last, task, given });
  });
}
