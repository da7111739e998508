/**
 * Resampling, equal to Pillow's for 8-bit pictures, in the same integers.
 *
 * Follows Pillow's Resample.c and Reduce.c: weights are integers of 22 bits, and sums are rounded once per
 * pass. Always across first, then down, as in resampling.py.
 */
import { makePlane } from "./planes.js";

const PRECISION_BITS = 22;

/** A triangle two pixels wide: Pillow's BILINEAR. */
export const BILINEAR = { support: 1, weight: (x) => Math.max(1 - Math.abs(x), 0) };

/** One pixel wide: Pillow's BOX. */
export const BOX_FILTER = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/**
 * Return a grey picture resized.
 * @param {import("./planes.js").Plane} grey
 * @param {number} width
 * @param {number} height
 * @param {{support: number, weight: (x: number) => number}} filter BILINEAR or BOX_FILTER
 * @param {[number, number]} [part] width and height of the part that is resized, from the top left corner
 * @returns {import("./planes.js").Plane}
 */
export function resized(grey, width, height, filter, part = [grey.width, grey.height]) {
  let result = grey;
  if (width !== grey.width || part[0] !== width) result = resizedAcross(result, width, filter, part[0]);
  if (height !== grey.height || part[1] !== height) result = resizedDown(result, height, filter, part[1]);
  return result;
}

/** Return for each of `size` pixels the first source pixel, their number, and their weights. */
function resampleWeights(from, length, size, filter) {
  const scale = Math.fround(length) / size;
  const widened = Math.max(scale, 1);
  const support = filter.support * widened;
  const most = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(size);
  const counts = new Int32Array(size);
  const weights = new Int32Array(size * most);
  const real = new Float64Array(most);
  for (let k = 0; k < size; k++) {
    const centre = (k + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), from) - start;
    let sum = 0;
    for (let j = 0; j < count; j++) {
      real[j] = filter.weight((j + start - centre + 0.5) * (1 / widened));
      sum += real[j];
    }
    for (let j = 0; j < count; j++) {
      const weight = sum !== 0 ? real[j] / sum : real[j];
      weights[k * most + j] = Math.trunc(0.5 + weight * (1 << PRECISION_BITS));
    }
    starts[k] = start;
    counts[k] = count;
  }
  return { starts, counts, weights, most };
}

function resizedAcross(grey, width, filter, length) {
  const { starts, counts, weights, most } = resampleWeights(grey.width, length, width, filter);
  const known = grey.data;
  const data = new Uint8Array(width * grey.height);
  for (let y = 0, to = 0; y < grey.height; y++) {
    const row = y * grey.width;
    for (let x = 0; x < width; x++, to++) {
      const end = row + starts[x] + counts[x];
      let sum = 1 << (PRECISION_BITS - 1);
      for (let from = row + starts[x], weight = x * most; from < end; from++, weight++) {
        sum = (sum + Math.imul(known[from], weights[weight])) | 0;
      }
      data[to] = sum >> PRECISION_BITS;
    }
  }
  return makePlane(width, grey.height, data);
}

function resizedDown(grey, height, filter, length) {
  const { starts, counts, weights, most } = resampleWeights(grey.height, length, height, filter);
  const { width } = grey;
  const data = new Uint8Array(width * height);
  const sums = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    if (counts[y] === 2) {
      blendRows(grey.data, starts[y] * width, weights[y * most], weights[y * most + 1], data, y * width, width);
      continue;
    }
    sums.fill(1 << (PRECISION_BITS - 1));
    for (let k = 0; k < counts[y]; k++) {
      const weight = weights[y * most + k];
      const from = (starts[y] + k) * width;
      for (let x = 0; x < width; x++) sums[x] += Math.imul(grey.data[from + x], weight);
    }
    for (let x = 0; x < width; x++) data[y * width + x] = sums[x] >> PRECISION_BITS;
  }
  return makePlane(width, height, data);
}

/** Mix two neighbouring rows, the main work of enlarging. */
function blendRows(from, start, upper, lower, to, place, width) {
  for (let k = start, next = start + width, end = place + width; place < end; k++, next++, place++) {
    const sum = Math.imul(from[k], upper) + Math.imul(from[next], lower);
    to[place] = (sum + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS;
  }
}

/**
 * Return the mean of each block of factor x factor values per channel; the last blocks may be smaller.
 * @param {Uint8Array} data by rows
 * @param {number} width in pixels
 * @param {number} height
 * @param {number} channels values per pixel
 * @param {number} factor
 * @returns {{data: Uint8Array, width: number, height: number}}
 */
export function blockMeans(data, width, height, channels, factor) {
  const size = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const means = new Uint8Array(size.width * size.height * channels);
  const sums = new Int32Array(size.width * channels);
  const blocks = Math.floor(width / factor);
  for (let y = 0; y < size.height; y++) {
    const rows = Math.min(factor, height - y * factor);
    sums.fill(0);
    for (let row = y * factor; row < y * factor + rows; row++) {
      addBlocks(data.subarray(row * width * channels, (row + 1) * width * channels), sums, channels, factor);
    }
    const to = y * size.width * channels;
    divideBlocks(sums, means, to, 0, blocks * channels, factor * rows);
    divideBlocks(sums, means, to, blocks * channels, sums.length, (width - blocks * factor) * rows);
  }
  return { data: means, ...size };
}

function addBlocks(row, sums, channels, factor) {
  if (channels === 1) {
    for (let from = 0, to = 0; from < row.length; to++) {
      const end = Math.min(from + factor, row.length);
      let sum = 0;
      while (from < end) sum += row[from++];
      sums[to] += sum;
    }
    return;
  }
  for (let channel = 0; channel < channels; channel++) {
    for (let from = channel, to = channel; from < row.length; to += channels) {
      const end = Math.min(from + factor * channels, row.length);
      let sum = 0;
      for (; from < end; from += channels) sum += row[from];
      sums[to] += sum;
    }
  }
}

function divideBlocks(sums, means, to, first, last, count) {
  const multiplier = meanMultiplier(count);
  const half = count >> 1;
  for (let k = first; k < last; k++) means[to + k] = ((sums[k] + half) * multiplier) / 2 ** 24;
}

/** Return 2 to the 24 divided by a count, as in Pillow's division. */
function meanMultiplier(count) {
  return Math.trunc(Math.fround(2 ** 32 / Math.fround(count * 256)));
}

/**
 * Return the mean of each block of factor x factor pixels of four channels, like blockMeans, two channels at a time.
 * @param {Uint8Array | Uint8ClampedArray} data 4 bytes per pixel, by rows
 * @param {number} width in pixels
 * @param {number} height
 * @param {number} factor at most 16, so that two sums fit into 32 bits
 * @returns {{data: Uint8Array, width: number, height: number}}
 */
export function fourChannelMeans(data, width, height, factor) {
  const size = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const pixels = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const means = new Uint8Array(4 * size.width * size.height);
  const [even, odd] = [new Int32Array(width), new Int32Array(width)];
  for (let y = 0; y < size.height; y++) {
    const rows = Math.min(factor, height - y * factor);
    even.fill(0);
    odd.fill(0);
    for (let row = y * factor; row < y * factor + rows; row++) {
      for (let x = 0, k = row * width; x < width; x++, k++) {
        even[x] += pixels[k] & 0xff00ff;
        odd[x] += (pixels[k] >>> 8) & 0xff00ff;
      }
    }
    const to = 4 * y * size.width;
    const whole = Math.floor(width / factor);
    divideLanes(even, odd, means, to, 0, whole, factor, rows);
    const rest = width - whole * factor;
    if (rest) divideLanes(even, odd, means, to + 4 * whole, whole * factor, 1, rest, rows);
  }
  return { data: means, ...size };
}

/**
 * Return the means of blocks of partly transparent pixels, weighted by their opacity.
 * @param {Uint8Array | Uint8ClampedArray} data 4 bytes per pixel, not premultiplied
 * @param {number} width in pixels
 * @param {number} height
 * @param {number} factor at most 16
 * @returns {{data: Uint8Array, width: number, height: number}}
 */
export function clearMeans(data, width, height, factor) {
  const visible = new Uint8Array(data.length);
  for (let k = 0; k < data.length; k++) {
    const product = data[k] * data[k | 3] + 128;
    visible[k] = (k & 3) === 3 ? data[k] : ((product >> 8) + product) >> 8;
  }
  const means = fourChannelMeans(visible, width, height, factor);
  for (let k = 0; k < means.data.length; k++) {
    const alpha = means.data[k | 3];
    if ((k & 3) !== 3 && alpha > 0) means.data[k] = Math.min(Math.trunc((255 * means.data[k]) / alpha), 255);
  }
  return means;
}

/** Store the means of blocks of `columns` sums, two of 16 bits in one. */
function divideLanes(even, odd, means, place, first, blocks, columns, rows) {
  const multiplier = meanMultiplier(columns * rows);
  const half = (columns * rows) >> 1;
  for (let block = 0, from = first, to = place; block < blocks; block++, to += 4) {
    let [one, other] = [0, 0];
    for (const end = from + columns; from < end; from++) {
      one += even[from];
      other += odd[from];
    }
    means[to] = (((one & 0xffff) + half) * multiplier) / 2 ** 24;
    means[to + 1] = (((other & 0xffff) + half) * multiplier) / 2 ** 24;
    means[to + 2] = (((one >>> 16) + half) * multiplier) / 2 ** 24;
    means[to + 3] = (((other >>> 16) + half) * multiplier) / 2 ** 24;
  }
}
