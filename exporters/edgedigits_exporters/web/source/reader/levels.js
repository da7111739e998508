/** Levels: histograms, quantiles, interpolation and Pillow's box blur, for the rules of ink and ground. */
import { select } from "./numbers.js";
import { makePlane } from "./planes.js";

/**
 * Return a quantile, interpolated like np.quantile, and reorder the values.
 * @param {Float64Array} values not empty
 * @param {number} share 0..1
 * @returns {number}
 */
export function quantile(values, share) {
  const place = (values.length - 1) * share;
  const before = Math.floor(place);
  const low = select(values, before);
  let high = low;
  if (before + 1 < values.length) {
    high = values[before + 1];
    for (let k = before + 2; k < values.length; k++) if (values[k] < high) high = values[k];
  }
  const part = place - before;
  return part >= 0.5 ? high - (high - low) * (1 - part) : low + (high - low) * part;
}

/**
 * Return the level at a place in the sorted levels.
 * @param {ArrayLike<number>} histogram counts of the levels 0..255
 * @param {number} place from 0
 * @returns {number}
 */
export function levelAt(histogram, place) {
  let level = 0;
  for (let counted = histogram[0]; counted <= place && level < 255; counted += histogram[level]) level++;
  return level;
}

/**
 * Return the median of levels from their histogram.
 * @param {ArrayLike<number>} histogram counts of the levels 0..255
 * @param {number} count their sum, above 0
 * @returns {number}
 */
export function medianLevel(histogram, count) {
  const half = count >> 1;
  const upper = levelAt(histogram, half);
  return count % 2 ? upper : (levelAt(histogram, half - 1) + upper) / 2;
}

/**
 * Return the values of a line through points, constant beyond its ends, like np.interp.
 * @param {ArrayLike<number>} places ascending
 * @param {ArrayLike<number>} xs ascending
 * @param {ArrayLike<number>} ys as many as xs
 * @param {ArrayLike<number>} ys as many as xs
 */
export function interpolated(places, xs, ys) {
  const last = xs.length - 1;
  const values = new Float64Array(places.length);
  let at = 0;
  for (let k = 0; k < places.length; k++) {
    const place = places[k];
    while (at < last && place >= xs[at + 1]) at++;
    if (place <= xs[0]) values[k] = ys[0];
    else if (at === last || place === xs[at]) values[k] = ys[at];
    else values[k] = ((ys[at + 1] - ys[at]) / (xs[at + 1] - xs[at])) * (place - xs[at]) + ys[at];
  }
  return values;
}

/**
 * Return the smaller of two integers, like `larger`.
 * @param {number} one
 * @param {number} other
 * @returns {number}
 */
export function smaller(one, other) {
  const above = one - other;
  return other + (above & (above >> 31));
}

/**
 * Count the levels of the pixels on a grid.
 * @param {Plane} grey
 * @param {number} [step] step of the grid
 * @returns {Int32Array} 256 counts
 */
export function histogramOf(grey, step = 1) {
  const counts = new Int32Array(256);
  const { width, height, data } = grey;
  if (step === 1) {
    for (let k = 0; k < data.length; k++) counts[data[k]]++;
    return counts;
  }
  for (let y = 0; y < height; y += step) {
    const end = (y + 1) * width;
    for (let k = y * width; k < end; k += step) counts[data[k]]++;
  }
  return counts;
}

/**
 * Return the mean of the pixels around each pixel, across and then down; the edge is repeated.
 * @param {import("./planes.js").Plane} grey
 * @param {number} radius an integer
 * @returns {import("./planes.js").Plane}
 */
export function boxBlurred(grey, radius) {
  const { width, height } = grey;
  const across = new Uint8Array(grey.data.length);
  for (let y = 0; y < height; y++) boxBlurLine(grey.data, across, y * width, 1, width, radius);
  const data = new Uint8Array(grey.data.length);
  for (let x = 0; x < width; x++) boxBlurLine(across, data, x, width, height, radius);
  return makePlane(width, height, data);
}

function boxBlurLine(from, to, start, step, length, radius) {
  const multiplier = Math.trunc(Math.fround(2 ** 24 / (2 * radius + 1)));
  const last = start + (length - 1) * step;
  const at = (k) => from[k < 0 ? start : k >= length ? last : start + k * step];
  let sum = 0;
  for (let k = -radius - 1; k < radius; k++) sum += at(k);
  for (let k = 0; k < length; k++) {
    sum += at(k + radius) - at(k - radius - 1);
    to[start + k * step] = (sum * multiplier + 2 ** 23) / 2 ** 24;
  }
}
