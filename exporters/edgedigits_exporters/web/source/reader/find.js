/** Find: what stands on a picture, by the finder's network. */
import { bestOf, decode } from "./found.js";
import { letterbox } from "./letterbox.js";

// Longest side, in pixels of the input, under which digits are looked at again in a larger input, the sum of their
// scores from which that is worth its time, and the factor of that input's side.
const SMALL = 12;
const WORTH = 0.5;
const LARGER = 2;

// Longest side, in pixels of the first input, from which what it found counts beside the second look's.
const LARGE = 54;

/**
 * A finder's network: the side that pictures are resized to, the least score, and a function from RGB pixels to levels.
 * @typedef {{side: number, threshold: number,
 *            run(data: Uint8Array, width: number, height: number): import("./found.js").Level[]}} FinderNetwork
 */

/**
 * Return what stands on a picture, the surest first; boxes end at its borders.
 * @param {FinderNetwork} network
 * @param {import("./pixels.js").Pixels} pixels
 * @returns {import("./found.js").Found[]}
 */
export function find(network, pixels) {
  const { side } = network;
  let found = look(network, pixels, side);
  const scale = side / Math.max(pixels.width, pixels.height);
  const longest = ({ box: [, , width, height] }) => Math.max(width, height) * scale;
  const small = found.reduce((sum, each) => sum + (longest(each) < SMALL ? each.score : 0), 0);
  if (scale < 1 && small >= WORTH) {
    found = bestOf([...found.filter((each) => longest(each) >= LARGE), ...look(network, pixels, LARGER * side)]);
  }
  return found.map((each) => ({ ...each, box: within(each.box, pixels.width, pixels.height) }));
}

function look(network, pixels, side) {
  const { fround } = Math;
  const { data, width, height, scale, corner } = letterbox(pixels, side);
  const sides = [pixels.width * scale[0], pixels.height * scale[1]];
  const found = [];
  for (const each of decode(network.run(data, width, height), network.threshold)) {
    const [x, y, wide, high] = each.box;
    const centre = [fround(x + wide / 2 - corner[0]), fround(y + high / 2 - corner[1])];
    // Nothing stands on the border that was added.
    if (centre.some((place, axis) => place < 0 || place >= sides[axis])) continue;
    const moved = [fround(x - corner[0]), fround(y - corner[1]), wide, high];
    found.push({ ...each, box: moved.map((value, k) => fround(value / fround(scale[k % 2]))) });
  }
  return found;
}

/** Return a box cut off at the borders of a picture. */
function within([x, y, width, height], wide, high) {
  const { fround, min, max } = Math;
  const along = (start, length, size) => {
    const low = min(max(start, 0), size - 1);
    return [low, fround(min(max(fround(start + length), low + 1), size) - low)];
  };
  const [[left, across], [top, down]] = [along(x, width, wide), along(y, height, high)];
  return [left, top, across, down];
}
