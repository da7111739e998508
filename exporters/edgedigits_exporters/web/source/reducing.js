/** Reduce large pictures in the browser, before they are read or sent. */

import { sizeInHeader } from "./reader/headers.js";

/** The size is in the first bytes; in a JPEG it follows the camera's metadata. */
const HEADER_BYTES = 1 << 20;
const QUALITY = 0.95;

/**
 * Return a picture with at most so many pixels, in a format that readers know.
 *
 * @param {Blob} picture
 * @param {number} most  Pixels.
 * @returns {Promise<Blob>}  The picture itself if it is small, or if the browser cannot decode it.
 */
export async function reduced(picture, most) {
  const size = sizeInHeader(new Uint8Array(await picture.slice(0, HEADER_BYTES).arrayBuffer()));
  if (size && size[0] * size[1] <= most) {
    return picture;
  }
  const bitmap = await createImageBitmap(picture).catch(() => null);
  if (!bitmap) {
    return picture;
  }
  let scale = 1;
  // Halved, as the reader does, so that most pixels are means of whole ones.
  while (Math.ceil(bitmap.width / scale) * Math.ceil(bitmap.height / scale) > most) scale *= 2;
  const canvas = new OffscreenCanvas(Math.ceil(bitmap.width / scale), Math.ceil(bitmap.height / scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  // A photo has no transparent pixels; those of a drawing are paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return new File([blob], picture.name ?? "", { type: blob.type });
}
