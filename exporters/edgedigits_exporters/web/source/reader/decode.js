/**
 * Decode: from a picture file to upright 8-bit pixels on a plain ground.
 *
 * The browser decodes, rotates by EXIF orientation and applies the colour profile. Two differences from the Python
 * reader: decoders of JPEG may differ by a level, and semi-transparent pixels lose precision, since a canvas stores
 * them premultiplied.
 */
import { PictureTooLarge, PictureUnreadable } from "./errors.js";
import { formatOf, sizeInHeader } from "./headers.js";
import { Pixels, isOpaque, toPixels } from "./pixels.js";
import { clearMeans, fourChannelMeans } from "./resampling.js";

/** Maximum number of pixels that are decoded. */
export const MAX_PIXELS = 64_000_000;

/** Number of pixels that the reader processes: a full page stays readable, and 12 megapixels are reduced to three. */
export const WORKING_PIXELS = 4_500_000;

// The size is in the first bytes; in a JPEG it follows the camera's metadata.
const HEADER_BYTES = 1 << 20;

// Rows of the reduced picture per strip that is read from a canvas.
const STRIP_HEIGHT = 64;

const CONVERT = {
  PDF: "pdftoppm -png FILE page",
  HEIC: "heif-convert FILE picture.png",
  AVIF: "avifdec FILE picture.png",
  SVG: "rsvg-convert FILE -o picture.png",
  TIFF: "magick FILE picture.png",
};

/** A decoded picture at its working size. */
export class Picture {
  /**
   * @param {Pixels} pixels
   * @param {{scale?: number, width?: number, height?: number, note?: string, name?: string, ms?: number}} [source]
   *   scale: source pixels per working pixel along each side (1, 2, 4, ...); width, height: the upright source; note:
   *   what was left out; name: of the source; ms: time of decoding
   */
  constructor(pixels, { scale = 1, width = pixels.width, height = pixels.height, note = "", name = "", ms = 0 } = {}) {
    Object.assign(this, { pixels, scale, width, height, note, name, ms });
  }

  /**
   * Return a box of working pixels in source pixels.
   * @param {import("./box.js").Box} box
   * @returns {[number, number, number, number]} x, y, width and height
   */
  inSource(box) {
    const [x, y] = [this.scale * box.x, this.scale * box.y];
    return [x, y, Math.min(this.scale * box.width, this.width - x), Math.min(this.scale * box.height, this.height - y)];
  }
}

/**
 * Decode a picture, and reduce a large one.
 * @param {Blob | ImageData} source of an animation, the first frame is decoded
 * @param {{name?: string, channels?: 1 | 3 | null, maxPixels?: number, workingPixels?: number}} [options] channels:
 *   null is 1 if all pixels are grey, else 3; workingPixels: a larger picture is halved down to it
 * @returns {Promise<Picture>}
 * @throws {PictureUnreadable | PictureTooLarge}
 */
export async function decodePicture(source, options = {}) {
  const start = performance.now();
  const { channels = null, maxPixels = MAX_PIXELS, workingPixels = WORKING_PIXELS } = options;
  const name = options.name ?? (source.name || "the picture");
  const picture = source instanceof Blob ? await bitmapOf(source, name, maxPixels) : source;
  const { width, height } = picture;
  checkSize(name, width, height, maxPixels);
  const scale = workingScale(width, height, workingPixels);
  const rowsOf = source instanceof Blob ? canvasRows(picture, name, maxPixels) : imageRows(picture);
  const whole = () => toPixels(rowsOf(0, height), width, height, channels);
  const pixels = scale === 1 ? whole() : reducedPixels(rowsOf, width, height, channels, scale);
  return new Picture(pixels, { scale, width, height, name, ms: performance.now() - start });
}

/** Let the browser decode a file, after checking the size in its header. */
async function bitmapOf(file, name, maxPixels) {
  const head = new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer());
  const size = sizeInHeader(head);
  if (size) checkSize(name, ...size, maxPixels);
  try {
    return await createImageBitmap(file);
  } catch (error) {
    if (error instanceof DOMException) throw unreadable(head, name);
    throw error;
  }
}

/** Return the error for a file that the browser does not decode. */
function unreadable(head, name) {
  if (!head.length) return new PictureUnreadable(`${name} is empty; expected a picture`);
  const format = formatOf(head);
  if (!format) return new PictureUnreadable(`${name} is not a picture; expected PNG, JPEG, WebP, BMP or GIF`);
  if (!(format in CONVERT)) return new PictureUnreadable(`${name} is damaged or truncated`);
  const article = format === "AVIF" || format === "SVG" ? "an" : "a";
  const how = `convert it to PNG with: ${CONVERT[format]}`;
  return new PictureUnreadable(`${name} is ${article} ${format} file, which is not supported; ${how}`);
}

function checkSize(name, width, height, maxPixels) {
  if (width < 1 || height < 1) throw new PictureUnreadable(`${name} has no pixels: ${width}x${height}`);
  if (width * height > maxPixels) {
    const limit = maxPixels.toLocaleString("en");
    const size = `${width}x${height}`;
    throw new PictureTooLarge(`${name} has ${size} pixels, more than the limit of ${limit}; make it smaller`);
  }
}

/** Return the power of two that reduces a picture to its working size. */
function workingScale(width, height, workingPixels) {
  let scale = 1;
  while (Math.ceil(width / scale) * Math.ceil(height / scale) > workingPixels) scale *= 2;
  return scale;
}

/** Return a function that reads rows of a bitmap, 4 bytes per pixel. */
function canvasRows(bitmap, name, maxPixels) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) {
    const limit = maxPixels.toLocaleString("en");
    throw new PictureTooLarge(`${name} is too large to decode; the limit is ${limit} pixels; make it smaller`);
  }
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return (top, rows) => context.getImageData(0, top, canvas.width, rows).data;
}

function imageRows({ width, data }) {
  return (top, rows) => data.subarray(4 * top * width, 4 * (top + rows) * width);
}

/** Return a reduced picture, strip by strip, so that it is never in memory twice. */
function reducedPixels(rowsOf, width, height, channels, scale) {
  const [wide, high] = [Math.ceil(width / scale), Math.ceil(height / scale)];
  const reduced = new Uint8Array(4 * wide * high);
  for (let top = 0; top < high; top += STRIP_HEIGHT) {
    const rows = Math.min(STRIP_HEIGHT * scale, height - top * scale);
    const strip = rowsOf(top * scale, rows);
    const means = fourChannelMeans(strip, width, rows, scale).data;
    reduced.set(isOpaque(means) ? means : clearMeans(strip, width, rows, scale).data, 4 * top * wide);
  }
  return toPixels(reduced, wide, high, channels);
}
