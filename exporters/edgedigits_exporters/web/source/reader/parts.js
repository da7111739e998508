/** The strokes of a canvas's own digit: connected components, cut where they reach into another box. */
import { findComponents } from "./components.js";
import { total } from "./numbers.js";
import { makePlane } from "./planes.js";
import { both, onCanvas, without } from "./windows.js";

// A component is a digit's own, as a whole, if this much of it is in the grown box, of that this much in the box
// itself, and at most this much nearer to the middle of another box. It is no speck beside the largest.
const OWN = 0.55;
const CORE = 0.4;
const FOREIGN = 0.05;
const SPECK = 0.03;

// If less of the ink in the box is of such components, the digit touches something: the others are cut off at the
// grown box and halfway to other boxes, and of the parts those count that have this share of the largest one's ink.
const LEAST_OWN = 0.5;
const LEAST_PART = 0.2;

/** The connected components of a mask on a canvas. */
export class Parts {
  #components;
  #side;

  constructor(mask, side) {
    this.#side = side;
    this.#components = findComponents(makePlane(side, side, mask));
  }

  get areas() {
    return this.#components.areas;
  }

  /** Return whether a component crosses a window of a size from left to right, and from top to bottom. */
  spanning([width, height]) {
    const found = [false, false];
    for (let k = 0; k < this.#components.count; k++) {
      const [top, left, bottom, right] = this.#components.boxes.subarray(4 * k, 4 * k + 4);
      if (left === 0 && right >= width) found[0] = true;
      if (top === 0 && bottom >= height) found[1] = true;
    }
    return found;
  }

  /** Return how many pixels of each component are in a mask. */
  count(where) {
    const { rows, starts, ends, first } = this.#components;
    return Array.from(this.areas, (_, component) => {
      let sum = 0;
      for (let run = first[component]; run < first[component + 1]; run++) {
        const row = rows[run] * this.#side;
        for (let pixel = row + starts[run]; pixel < row + ends[run]; pixel++) sum += where[pixel];
      }
      return sum;
    });
  }

  /** Return the mask of the components for which `chosen` is true. */
  filled(chosen) {
    const { rows, starts, ends, first } = this.#components;
    const mask = new Uint8Array(this.#side ** 2);
    chosen.forEach((wanted, component) => {
      for (let run = first[component]; wanted && run < first[component + 1]; run++) {
        mask.fill(1, rows[run] * this.#side + starts[run], rows[run] * this.#side + ends[run]);
      }
    });
    return mask;
  }
}

/**
 * Return the mask of the pixels in another box that are, in units of the boxes, nearer to its middle.
 * @param {import("./windows.js").Canvas} canvas
 * @param {import("./windows.js").Window[]} others that reach into its window
 */
export function foreignPixels({ side, of }, others) {
  const foreign = new Uint8Array(side * side);
  if (!others.length) return foreign;
  const own = fromMiddle(of, of, side);
  for (const other of others.map((window) => fromMiddle(window, of, side))) {
    for (let k = 0; k < foreign.length; k++) if (other[k] <= 1 && other[k] < own[k]) foreign[k] = 1;
  }
  return foreign;
}

/** Return the distance of each pixel from the middle of a box; 1 at its edges. */
function fromMiddle({ low, high }, window, side) {
  const [from, to] = [onCanvas(low, window), onCanvas(high, window)];
  const [across, down] = [new Float32Array(side), new Float32Array(side)];
  [across, down].forEach((distances, k) => {
    const [middle, half] = [(from[k] + to[k]) / 2, (to[k] - from[k]) / 2];
    for (let at = 0; at < side; at++) distances[at] = Math.abs(at + 0.5 - middle) / half;
  });
  const found = new Float32Array(side * side);
  for (let y = 0, k = 0; y < side; y++) {
    for (let x = 0; x < side; x++, k++) found[k] = across[x] > down[y] ? across[x] : down[y];
  }
  return found;
}

/**
 * Return the mask of the strokes of a canvas's digit.
 * @param {Uint8Array} strokes mask
 * @param {Parts} parts their components
 * @param {import("./windows.js").Canvas} canvas
 * @param {Uint8Array} foreign see foreignPixels
 */
export function ownStrokes(strokes, parts, { box, grown, side }, foreign) {
  const [within, core, away] = [grown, box, foreign].map((mask) => parts.count(mask));
  const whole = Array.from(parts.areas, (area, k) => {
    return within[k] > OWN * area && core[k] >= CORE * within[k] && away[k] <= FOREIGN * area;
  });
  const largest = Math.max(0, ...within.filter((_, k) => whole[k]));
  const own = parts.filled(whole.map((wanted, k) => wanted && within[k] >= SPECK * largest));
  const inside = without(both(strokes, grown), foreign);
  const written = both(own, grown);
  if (total(written) >= LEAST_OWN * total(inside.map((value, k) => value | written[k]))) return own;
  const cut = new Parts(inside.map((value, k) => value | own[k]), side);
  const weight = cut.count(box);
  const most = Math.max(0, ...weight);
  return cut.filled(weight.map((pixels) => pixels > 0 && pixels >= LEAST_PART * most));
}

/** Return a mask with the eight neighbours of its pixels. */
export function widened(mask, side) {
  const wide = new Uint8Array(mask.length);
  for (let y = 0, k = 0; y < side; y++) {
    for (let x = 0; x < side; x++, k++) {
      if (!mask[k]) continue;
      for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, side - 1); row++) {
        wide.fill(1, row * side + Math.max(x - 1, 0), row * side + Math.min(x + 2, side));
      }
    }
  }
  return wide;
}
