/** Read pictures with the server of the page. */

/**
 * @typedef {object} Backend  Reads pictures.
 * @property {() => Promise<{model: string, engine: string, device: string, labels: string[], privacy?: string,
 *   api?: string}>} describe  `privacy`: where pictures go, a sentence; `api`: address of the HTTP API's documentation.
 * @property {(picture: Blob | ImageData, options?: {signal?: AbortSignal}) => Promise<object>} read
 *   Gives a TracedReading, or fails with an Error that has a message of one line for the user.
 */

/** @returns {Backend} */
export function serverBackend() {
  return {
    async describe() {
      const { models } = await request("v1/models");
      return { ...models[0], privacy: `Pictures are sent only to ${location.host}, which stores none.`, api: "docs" };
    },
    async read(picture, { signal } = {}) {
      const body = picture instanceof ImageData ? await encodedPicture(picture) : picture;
      const type = body.type || "application/octet-stream";
      return request("v1/read?trace=true", { method: "POST", body, signal, headers: { "Content-Type": type } });
    },
  };
}

async function request(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new Error("The server does not respond. Check that edgedigits serve is running.");
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(content.error?.message ?? `The server responded with ${response.status} ${response.statusText}.`);
  }
  return content;
}

/** @param {ImageData} picture */
function encodedPicture(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
