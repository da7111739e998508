/** Pixels: a picture as the reader processes it, and how transparency becomes a plain ground. */
import { boundsOf, makePlane } from "./planes.js";

// Two tones of a drawing that includes its own ground differ by more than this.
const OWN_CONTRAST = 64;

// Minimum share of the visible pixels, or of their outline, that makes a tone.
const LEAST_SHARE = 0.01;

/** A picture: one grey channel or three of colour, one byte each, by pixels and rows. */
export class Pixels {
  /**
   * @param {number} width
   * @param {number} height
   * @param {1 | 3} channels
   * @param {Uint8Array} data width * height * channels
   */
  constructor(width, height, channels, data) {
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.data = data;
  }
}

/**
 * Return the picture of a canvas: transparency is laid over a plain ground, and grey pictures get one channel.
 * @param {Uint8Array | Uint8ClampedArray} rgba 4 bytes per pixel, not premultiplied
 * @param {number} width
 * @param {number} height
 * @param {1 | 3 | null} [channels] null is 1 if all pixels are grey, else 3
 * @returns {Pixels}
 */
export function toPixels(rgba, width, height, channels = null) {
  const opaque = isOpaque(rgba) ? rgba : overGround(rgba, width, height);
  if (channels === 1) return new Pixels(width, height, 1, luma(opaque));
  const wanted = channels ?? (isGrey(opaque) ? 1 : 3);
  const data = new Uint8Array(width * height * wanted);
  if (wanted === 1) {
    for (let k = 0, from = 0; k < data.length; k++, from += 4) data[k] = opaque[from];
  } else {
    for (let to = 0, from = 0; to < data.length; to += 3, from += 4) {
      data[to] = opaque[from];
      data[to + 1] = opaque[from + 1];
      data[to + 2] = opaque[from + 2];
    }
  }
  return new Pixels(width, height, wanted, data);
}

/**
 * Return whether all pixels are opaque.
 * @param {Uint8Array | Uint8ClampedArray} rgba 4 bytes per pixel
 */
export function isOpaque(rgba) {
  for (let k = 3; k < rgba.length; k += 4) if (rgba[k] !== 255) return false;
  return true;
}

function isGrey(rgba) {
  for (let k = 0; k < rgba.length; k += 4) if (rgba[k] !== rgba[k + 1] || rgba[k] !== rgba[k + 2]) return false;
  return true;
}

/** Return the grey level of each pixel (ITU-R 601, as in Pillow's mode L). */
function luma(rgba) {
  const grey = new Uint8Array(rgba.length / 4);
  for (let k = 0, from = 0; k < grey.length; k++, from += 4) {
    grey[k] = (rgba[from] * 19595 + rgba[from + 1] * 38470 + rgba[from + 2] * 7471 + 0x8000) >> 16;
  }
  return grey;
}

/** Lay the visible pixels over the ground they were made for: white, black, or their own. */
function overGround(rgba, width, height) {
  let most = 0;
  for (let k = 3; k < rgba.length; k += 4) if (rgba[k] > most) most = rgba[k];
  const visible = makePlane(width, height);
  for (let k = 0; k < visible.data.length; k++) visible.data[k] = most > 0 && 2 * rgba[4 * k + 3] >= most ? 1 : 0;
  const ground = groundUnder(luma(rgba), visible);
  const laid = new Uint8Array(rgba.length);
  for (let k = 0; k < rgba.length; k += 4) {
    const alpha = rgba[k + 3];
    for (let channel = k; channel < k + 3; channel++) {
      // Pillow's seven additional bits decide a tie.
      const sum = (rgba[channel] * alpha + ground * (255 - alpha) + 128) << 7;
      laid[channel] = ((sum >> 8) + sum) >> 15;
    }
    laid[k + 3] = 255;
  }
  return laid;
}

/**
 * Return the level of the ground under the visible pixels.
 *
 * A drawing of one tone is all ink: light ink is laid over black, other ink over white. A drawing of several tones,
 * such as a tile with a digit, includes its ground: the tone of its outline.
 */
function groundUnder(grey, visible) {
  const tones = tonesOf(grey, visible);
  const count = tones.reduce((sum, tone) => sum + tone, 0);
  if (!count) return 255;
  const rim = rimOf(visible);
  const outline = tonesOf(grey, boundsOf(rim) ? rim : visible);
  const outlined = outline.reduce((sum, tone) => sum + tone, 0);
  let level = 0;
  for (let counted = outline[0]; counted < outlined / 2; counted += outline[level]) level++;
  let others = 0;
  let near = 0;
  for (let tone = 0; tone < 256; tone++) {
    if (Math.abs(tone - level) > OWN_CONTRAST) others += tones[tone];
    else near += outline[tone];
  }
  if (others >= LEAST_SHARE * count && near >= 0.9 * outlined) return level;
  return level >= 128 ? 0 : 255;
}

function tonesOf(grey, mask) {
  const counts = new Int32Array(256);
  for (let k = 0; k < grey.length; k++) if (mask.data[k]) counts[grey[k]]++;
  return counts;
}

/** Return the pixels of a mask that have a neighbour outside it. */
function rimOf(mask) {
  const { width, height, data } = mask;
  const rim = makePlane(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!data[y * width + x]) continue;
      let inside = true;
      for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1) && inside; row++) {
        for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
          if (!data[row * width + column]) inside = false;
        }
      }
      rim.data[y * width + x] = inside ? 0 : 1;
    }
  }
  return rim;
}
