/** Marks: pieces of ink that belong together. */
import { Box } from "./box.js";
import { boundsOf, countNonzero, cropped, makePlane } from "./planes.js";

// About this many points represent an outline: distances are wrong by a few hundredths of its size at most.
const OUTLINE = 100;

/** A piece of ink: a box, and the mask of its pixels there. */
export class Mark {
  #area = null;
  #outline = null;

  /**
   * @param {Box} box tight around the mask
   * @param {import("./planes.js").Plane} mask of the box's size
   */
  constructor(box, mask) {
    this.box = box;
    this.mask = mask;
  }

  /** Number of pixels. */
  get area() {
    return (this.#area ??= countNonzero(this.mask));
  }

  /** The pixels at the ends of its horizontal runs, x and y alternating, thinned to a few hundred. */
  get outline() {
    return (this.#outline ??= thinnedOutline(this.box, this.mask));
  }
}

function thinnedOutline(box, { width, height, data }) {
  const points = [];
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      if (!data[k]) continue;
      if (x === 0 || !data[k - 1]) points.push(box.x + x, box.y + y);
      if (x === width - 1 || !data[k + 1]) points.push(box.x + x, box.y + y);
    }
  }
  const count = points.length / 2;
  const step = Math.max(1, Math.floor(count / OUTLINE));
  const thinned = new Int32Array(2 * Math.ceil(count / step));
  for (let k = 0, to = 0; k < count; k += step) {
    thinned[to++] = points[2 * k];
    thinned[to++] = points[2 * k + 1];
  }
  return thinned;
}

/**
 * Return the stroke width of a mask in pixels, from area and outline: a long stroke has two sides.
 * @param {import("./planes.js").Plane} mask not empty
 */
export function maskStrokeWidth({ width, height, data }) {
  let sides = 0;
  let area = 0;
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      if (!data[k]) continue;
      area++;
      if (x === 0 || !data[k - 1]) sides++;
      if (x === width - 1 || !data[k + 1]) sides++;
      if (y === 0 || !data[k - width]) sides++;
      if (y === height - 1 || !data[k + width]) sides++;
    }
  }
  // A line of length 1 has 4/pi pixel sides on average over all directions.
  return (2 * area) / ((sides * Math.PI) / 4);
}

/**
 * Return one mark for several.
 * @param {Mark[]} marks
 * @returns {Mark}
 */
export function union(marks) {
  if (marks.length === 1) return marks[0];
  const box = around(marks.map((mark) => mark.box));
  const mask = makePlane(box.width, box.height);
  for (const { box: own, mask: { data } } of marks) {
    for (let y = 0, k = 0; y < own.height; y++) {
      const to = (own.y - box.y + y) * box.width + own.x - box.x;
      for (let x = 0; x < own.width; x++, k++) mask.data[to + x] |= data[k];
    }
  }
  return new Mark(box, mask);
}

/**
 * Return the distance of the nearest pixels of two marks, 1 if they touch.
 * @param {Mark} one
 * @param {Mark} other
 */
export function markDistance(one, other) {
  const [a, b] = [one.outline, other.outline];
  let least = Infinity;
  for (let k = 0; k < a.length; k += 2) {
    for (let n = 0; n < b.length; n += 2) {
      const [x, y] = [a[k] - b[n], a[k + 1] - b[n + 1]];
      const square = x * x + y * y;
      if (square < least) least = square;
    }
  }
  return Math.sqrt(least);
}

/**
 * Return the gap of two boxes along x or y in pixels; 0 if they touch or overlap.
 * @param {Box} one
 * @param {Box} other
 */
export function boxGap(one, other) {
  const across = Math.max(one.x, other.x) - Math.min(one.right, other.right);
  const down = Math.max(one.y, other.y) - Math.min(one.bottom, other.bottom);
  return Math.max(across, down, 0);
}

/**
 * Return the smallest box around all.
 * @param {Box[]} boxes
 * @returns {Box}
 */
export function around(boxes) {
  let { x, y, right, bottom } = boxes[0];
  for (const box of boxes) {
    x = Math.min(x, box.x);
    y = Math.min(y, box.y);
    right = Math.max(right, box.right);
    bottom = Math.max(bottom, box.bottom);
  }
  return new Box(x, y, right - x, bottom - y);
}

/**
 * Return the mark of a mask whose top left pixel is (x, y); null if it is empty.
 * @param {import("./planes.js").Plane} mask
 * @param {number} x
 * @param {number} y
 * @returns {Mark | null}
 */
export function trimmed(mask, x, y) {
  const bounds = boundsOf(mask);
  if (!bounds) return null;
  const { left, top, right, bottom } = bounds;
  const box = new Box(x + left, y + top, right - left, bottom - top);
  return new Mark(box, cropped(mask, left, top, box.width, box.height));
}
