/** Sheets: large filled quadrilaterals that are ground, not ink: a note, a tile, a window on a screen. */
import { findComponents } from "./components.js";
import { rint } from "./numbers.js";
import { countNonzero, makePlane } from "./planes.js";

// Agreement of a sheet with the quadrilateral between its corners (intersection over union); minimum share of one tone;
// minimum share of writing, without which it is a shadow or an object; minimum share of the picture.
const AGREEMENT = 0.93;
export const LEAST_FILLED = 0.55;
const LEAST_WRITTEN = 0.01;
const LEAST_PAGE = 0.01;

// Writing on a sheet leaves a margin: its upper and lower rims are unbroken.
const MARGIN = 0.04;
const UNBROKEN = 0.9;

// Sheets leave little else in the picture.
const MOST_OF_ALL = 0.8;

// More than a dozen tiles are a pattern.
export const MOST_SHEETS = 12;

/**
 * Return whether all large components of a mask are sheets.
 *
 * A digit is not: an ellipse fills 0.64 of the quadrilateral between its extremes, and an 8 has a waist.
 * @param {import("./planes.js").Plane} mask
 */
export function areSheets(mask) {
  const components = findComponents(mask);
  const { boxes, areas } = components;
  const large = [];
  let area = 0;
  for (let k = 0; k < components.count; k++) {
    area += areas[k];
    if (areas[k] >= LEAST_PAGE * mask.data.length) large.push(k);
  }
  // A component in another's box, such as the counter of a 0, belongs to it.
  const isWithin = (k, other) =>
    boxes[4 * k] >= boxes[4 * other] &&
    boxes[4 * k + 1] >= boxes[4 * other + 1] &&
    boxes[4 * k + 2] <= boxes[4 * other + 2] &&
    boxes[4 * k + 3] <= boxes[4 * other + 3];
  const pages = large.filter((k) => large.filter((other) => isWithin(k, other)).length === 1);
  if (pages.length < 1 || pages.length > MOST_SHEETS) return false;
  if (large.reduce((sum, k) => sum + areas[k], 0) < MOST_OF_ALL * area) return false;
  return pages.every((k) => isSheet(components.mask(k)));
}

/** Return whether one component, in its own box, is a filled quadrilateral with writing. */
function isSheet(mask) {
  const sides = straightSides(mask);
  if (!sides) return false;
  let area = 0;
  for (let row = 0; row < mask.height; row++) area += sides.last[row] - sides.first[row] + 1;
  const own = countNonzero(mask);
  return LEAST_FILLED * area <= own && own <= (1 - LEAST_WRITTEN) * area;
}

/**
 * Return the first and last column of each row of a quadrilateral with an unbroken margin.
 * @param {import("./planes.js").Plane} mask one component in its own box
 * @returns {{first: Int32Array, last: Int32Array} | null} null for any other component
 */
export function straightSides(mask) {
  const { width, height, data } = mask;
  const first = new Int32Array(height);
  const last = new Int32Array(height);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    first[y] = row.indexOf(1);
    last[y] = row.lastIndexOf(1);
  }
  const inside = quadrilateral(cornersOf(first, last), width, height);
  if (!agree(inside, first, last)) return null;
  return isUnbroken(mask, inside) ? { first, last } : null;
}

/** Return the extremes along both diagonals, clockwise from the top left: the first of equal ones, left sides first. */
function cornersOf(first, last) {
  const height = first.length;
  const x = (k) => (k < height ? first[k] : last[k - height]);
  const y = (k) => k % height;
  const best = [0, 0, 0, 0];
  const signs = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  for (let k = 1; k < 2 * height; k++) {
    signs.forEach(([across, down], corner) => {
      const there = best[corner];
      if (across * (x(k) - x(there)) + down * (y(k) - y(there)) > 0) best[corner] = k;
    });
  }
  return best.map((k) => [x(k), y(k)]);
}

/** Return the mask of a quadrilateral: pixels within half a pixel of it along the row. */
function quadrilateral(corners, width, height) {
  const inside = makePlane(width, height, new Uint8Array(width * height).fill(1));
  corners.forEach(([x0, y0], k) => {
    const [x1, y1] = corners[(k + 1) % 4];
    const [across, down] = [x1 - x0, y1 - y0];
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        if (2 * (across * (y - y0) - down * (x - x0)) < -Math.abs(down)) inside.data[at] = 0;
      }
    }
  });
  return inside;
}

function agree(inside, first, last) {
  let both = 0;
  let either = 0;
  for (let y = 0, k = 0; y < inside.height; y++) {
    for (let x = 0; x < inside.width; x++, k++) {
      const filled = x >= first[y] && x <= last[y] ? 1 : 0;
      both += filled & inside.data[k];
      either += filled | inside.data[k];
    }
  }
  return both >= AGREEMENT * either;
}

function isUnbroken(mask, inside) {
  const margin = Math.max(1, rint(MARGIN * mask.height));
  // At a slanted side the outermost rows are ragged.
  const outer = shrunkDown(inside, 1);
  const inner = shrunkDown(inside, 1 + margin);
  const half = (mask.height >> 1) * mask.width;
  return [[0, half], [half, mask.data.length]].every(([start, end]) => {
    let [whole, rim] = [0, 0];
    for (let k = start; k < end; k++) {
      if (!outer.data[k] || inner.data[k]) continue;
      rim++;
      whole += mask.data[k];
    }
    return whole >= UNBROKEN * rim;
  });
}

/** Return a mask without `by` pixels above and below. */
function shrunkDown(mask, by) {
  const { width, height, data } = mask;
  const shrunk = makePlane(width, height);
  for (let k = by * width; k < (height - by) * width; k++) shrunk.data[k] = data[k + by * width] & data[k - by * width];
  return shrunk;
}
