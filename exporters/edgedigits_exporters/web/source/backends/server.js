/** Read pictures with the server of the page. */

import { reduced } from "../reducing.js";

/** As many pixels as the reader works with. */
const MOST_PIXELS = 4_500_000;

/** Messages for people, by the type of the server's error; the server's own are for programs. */
const MESSAGES = {
  PictureTooLarge: "This picture is too large. Choose a smaller one.",
  BodyTooLarge: "This file is too large to send. Choose a smaller picture.",
  UnsupportedMediaType: "This is not a picture. Choose a PNG, JPEG, WebP, TIFF, BMP or GIF file.",
  Invalid: "This is not a picture. Choose a PNG, JPEG, WebP, TIFF, BMP or GIF file.",
  Busy: "The server is busy. Try again in a moment.",
};

/**
 * @typedef {object} Backend  Reads pictures.
 * @property {() => Promise<{model: string, engine: string, device: string, labels: string[], privacy?: string,
 *   api?: string, bytes?: number}>} describe  `privacy`: where pictures go, a sentence; `api`: address of the HTTP API's
 *   documentation; `bytes`: size of the network, if it is in the page.
 * @property {(picture: Blob | ImageData, options?: {signal?: AbortSignal}) => Promise<object>} read
 *   Gives a TracedReading, or fails with an Error that has a message of one line for the user.
 * @property {(framed: Uint8Array) => Promise<object[]>} [look]  Of a network input, the output of each layer; see
 *   wasmEngine.
 * @property {(framed: Uint8Array) => Promise<object>} [explain]  See explaining.js.
 * @property {(framed: Uint8Array) => Promise<object[]>} [compare]  See explaining.js.
 */

/** @returns {Backend} */
export function serverBackend() {
  return {
    async describe() {
      const { models } = await request("v1/models");
      return { ...models[0], privacy: `Pictures are sent only to ${location.host}, which stores none.`, api: "docs" };
    },
    async read(picture, { signal } = {}) {
      const body = picture instanceof ImageData ? await encodedPicture(picture) : await reduced(picture, MOST_PIXELS);
      const type = body.type.startsWith("image/") ? body.type : "application/octet-stream";
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
    const { type, message } = content.error ?? {};
    throw new Error(MESSAGES[type] ?? message ?? `The server responded with ${response.status} ${response.statusText}.`);
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
