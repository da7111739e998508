/** Windows of a picture around found boxes, each on a canvas of its own. */
import { argsort } from "./numbers.js";
import { makePlane } from "./planes.js";
import { blockMeans } from "./resampling.js";

// Larger boxes are reduced, by whole numbers, until their longest side is no longer than this.
export const DETAIL = 40;

// The rim around a box, as a fraction of its longest side, and at least in pixels of the canvas.
const MARGIN = 0.15;
const LEAST_MARGIN = 3;

// A box may be too small by this fraction of its longest side.
const GROWN = 0.08;

// Windows of about one size have canvases of one size: of more than AT_LEAST the largest is at most ALIKE times as
// wide as the smallest.
const TOGETHER = 64;
const AT_LEAST = 8;
const ALIKE = 1.3;

/**
 * A box and the window around it, x and y in picture pixels; factor: picture pixels per canvas pixel; size: of the
 * window on the canvas.
 * @typedef {{low: number[], high: number[], start: number[], end: number[], factor: number, size: number[]}} Window
 *
 * A window in the upper left corner of a canvas: its channels, 0 outside it, and masks of 0 and 1 of the pixels of the
 * window, the box, and the grown box.
 * @typedef {{side: number, channels: Float64Array[], window: Uint8Array, box: Uint8Array, grown: Uint8Array,
 *            of: Window}} Canvas
 */

/**
 * Return the window of a box in a picture of this width and height.
 * @param {number[]} box x, y, width and height
 * @param {number[]} size
 * @returns {Window}
 */
export function windowOf([x, y, width, height], size) {
  const both = [0, 1];
  // At least one pixel of every box is in the picture.
  const low = [x, y].map((place, k) => Math.min(Math.max(place, 0), size[k] - 1));
  const high = [x + width, y + height].map((place, k) => Math.min(Math.max(place, low[k] + 1), size[k]));
  const longest = Math.max(high[0] - low[0], high[1] - low[1]);
  const factor = Math.max(Math.ceil(longest / DETAIL), 1);
  const margin = Math.max(MARGIN * longest, LEAST_MARGIN * factor);
  // Whole blocks of the picture, as in Python, which may reduce it once for many windows.
  const start = both.map((k) => Math.max(Math.floor((low[k] - margin) / factor), 0) * factor);
  const end = both.map((k) => Math.min(Math.ceil((high[k] + margin) / factor) * factor, size[k]));
  return { low, high, start, end, factor, size: both.map((k) => Math.ceil((end[k] - start[k]) / factor)) };
}

/** Return a point, x and y, in pixels of a window's canvas. */
export function onCanvas(point, { start, factor }) {
  return point.map((place, k) => (place - start[k]) / factor);
}

/** Return the sides of the canvases of windows. */
export function canvasSides(windows) {
  const sides = windows.map(({ size }) => Math.max(...size));
  const order = argsort(sides);
  const found = new Array(sides.length);
  for (let first = 0, end; first < order.length; first = end) {
    let last = first;
    while (last < order.length && sides[order[last]] <= ALIKE * sides[order[first]]) last++;
    end = Math.min(Math.max(last, first + AT_LEAST), first + TOGETHER, order.length);
    for (const k of order.slice(first, end)) found[k] = sides[order[end - 1]];
  }
  return found;
}

/**
 * Return a window of a picture on a canvas.
 * @param {import("./pixels.js").Pixels} pixels
 * @param {Window} window
 * @param {number} side of the canvas
 * @returns {Canvas}
 */
export function makeCanvas(pixels, window, side) {
  const { low, high, start, end, factor, size } = window;
  const { channels } = pixels;
  const [wide, high_] = [end[0] - start[0], end[1] - start[1]];
  const part = new Uint8Array(wide * high_ * channels);
  for (let y = 0; y < high_; y++) {
    const from = ((start[1] + y) * pixels.width + start[0]) * channels;
    part.set(pixels.data.subarray(from, from + wide * channels), y * wide * channels);
  }
  const reduced = factor === 1 ? part : blockMeans(part, wide, high_, channels, factor).data;
  const planes = Array.from({ length: channels }, () => new Float64Array(side * side));
  for (let y = 0, k = 0; y < size[1]; y++) {
    for (let x = 0; x < size[0]; x++) for (const plane of planes) plane[y * side + x] = reduced[k++];
  }
  const [from, to] = [onCanvas(low, window), onCanvas(high, window)];
  const reach = GROWN * Math.max(to[0] - from[0], to[1] - from[1]);
  const inside = rectangle([0, 0], size, side);
  return {
    side,
    channels: planes,
    window: inside,
    box: both(rectangle(from, to, side), inside),
    grown: both(rectangle(from.map((at) => at - reach), to.map((at) => at + reach), side), inside),
    of: window,
  };
}

/** Return the mask of the pixels whose centres are between corners, x and y. */
export function rectangle(low, high, side) {
  const mask = makePlane(side, side).data;
  for (let y = 0; y < side; y++) {
    if (!(y + 0.5 > low[1] && y + 0.5 < high[1])) continue;
    for (let x = 0; x < side; x++) if (x + 0.5 > low[0] && x + 0.5 < high[0]) mask[y * side + x] = 1;
  }
  return mask;
}

/** Return the mask of the pixels of two masks. */
export function both(one, other) {
  const mask = new Uint8Array(one.length);
  for (let k = 0; k < mask.length; k++) mask[k] = one[k] & other[k];
  return mask;
}

/** Return the mask of the pixels of one mask that are not in another. */
export function without(one, other) {
  const mask = new Uint8Array(one.length);
  for (let k = 0; k < mask.length; k++) mask[k] = one[k] & ~other[k];
  return mask;
}
