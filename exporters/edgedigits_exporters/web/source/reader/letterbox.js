/** Letterbox: fit a picture into the finder's input: resized, in the middle of a plain border. */
import { STRIDES } from "./found.js";
import { median, rint } from "./numbers.js";
import { makePlane } from "./planes.js";
import { BILINEAR, blockMeans, resized } from "./resampling.js";

const CELL = STRIDES[STRIDES.length - 1];

// A small picture is enlarged up to this factor.
const MOST_ZOOM = 2;

// Border, in pixels, around a small picture: digits that fill it stand free.
const MARGIN = 16;

/**
 * Return a picture in the finder's input, with its longer side at most `side`.
 * @param {import("./pixels.js").Pixels} pixels
 * @param {number} side
 * @returns {{data: Uint8Array, width: number, height: number, scale: number[], corner: number[]}} RGB by rows, sides
 *   that are multiples of CELL; scale: pixels of the input by pixels of the picture, across and down; corner: of the
 *   picture in the input
 */
export function letterbox(pixels, side) {
  const zoom = Math.min(side / Math.max(pixels.width, pixels.height), MOST_ZOOM);
  const [wide, high] = [pixels.width, pixels.height].map((length) => Math.max(rint(length * zoom), 1));
  const margin = zoom > 1 ? MARGIN : 0;
  const [width, height] = [wide, high].map((length) => Math.min(inCells(length + 2 * margin), inCells(side)));
  const corner = [(width - wide) >> 1, (height - high) >> 1];
  const data = new Uint8Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    const from = pixels.channels === 3 ? channel : 0;
    const ground = borderLevel(pixels, from);
    for (let k = channel; k < data.length; k += 3) data[k] = ground;
    const content = fitted(pixels, from, wide, high).data;
    for (let y = 0, k = 0; y < high; y++) {
      for (let to = 3 * ((corner[1] + y) * width + corner[0]) + channel, x = 0; x < wide; x++, to += 3) {
        data[to] = content[k++];
      }
    }
  }
  return { data, width, height, scale: [wide / pixels.width, high / pixels.height], corner };
}

/** Return the median of a channel's outermost pixels. */
function borderLevel({ width, height, channels, data }, channel) {
  const levels = [];
  const add = (x, y) => levels.push(data[(y * width + x) * channels + channel]);
  for (const y of [0, height - 1]) for (let x = 0; x < width; x++) add(x, y);
  for (const x of [0, width - 1]) for (let y = 0; y < height; y++) add(x, y);
  return Math.floor(median(levels));
}

/** Return a channel of a picture resized; a large one is averaged in squares first, which is faster. */
function fitted({ width, height, channels, data }, channel, wide, high) {
  let plane = makePlane(width, height);
  for (let k = 0, from = channel; k < plane.data.length; k++, from += channels) plane.data[k] = data[from];
  const factor = Math.floor(Math.max(width, height) / Math.max(wide, high));
  if (factor < 2) return resized(plane, wide, high, BILINEAR);
  plane = blockMeans(plane.data, width, height, 1, factor);
  if (plane.width === wide && plane.height === high) return plane;
  // The last squares may reach out of the picture.
  return resized(plane, wide, high, BILINEAR, [width / factor, height / factor]);
}

/** Return the least multiple of CELL that is no shorter. */
function inCells(length) {
  return Math.ceil(length / CELL) * CELL;
}
