/** Connected components of a mask, from its runs. */
import { makePlane } from "./planes.js";

/**
 * The 8-connected components of a mask, as horizontal runs sorted by component, in the reading order of their first
 * pixels.
 */
export class Components {
  /**
   * @param {{rows: Int32Array, starts: Int32Array, ends: Int32Array}} runs each covers columns starts..ends-1 of a row
   * @param {Int32Array} first index of the first run of each component, count + 1 values
   */
  constructor(runs, first) {
    Object.assign(this, runs);
    this.first = first;
    this.count = first.length - 1;
    /** Top, left, bottom and right of each component, the last two exclusive. */
    this.boxes = new Int32Array(4 * this.count);
    /** Pixels of each component. */
    this.areas = new Int32Array(this.count);
    for (let k = 0; k < this.count; k++) this.#measure(k);
  }

  #measure(component) {
    const [begin, end] = [this.first[component], this.first[component + 1]];
    let left = this.starts[begin];
    let right = 0;
    for (let run = begin; run < end; run++) {
      left = Math.min(left, this.starts[run]);
      right = Math.max(right, this.ends[run]);
      this.areas[component] += this.ends[run] - this.starts[run];
    }
    this.boxes.set([this.rows[begin], left, this.rows[end - 1] + 1, right], 4 * component);
  }

  /**
   * Return the mask of one component in its box.
   * @param {number} component
   * @returns {import("./planes.js").Plane}
   */
  mask(component) {
    const [top, left, bottom, right] = this.boxes.subarray(4 * component, 4 * component + 4);
    const filled = makePlane(right - left, bottom - top);
    for (let run = this.first[component]; run < this.first[component + 1]; run++) {
      const start = (this.rows[run] - top) * filled.width - left;
      filled.data.fill(1, start + this.starts[run], start + this.ends[run]);
    }
    return filled;
  }
}

/**
 * Find the 8-connected components of a mask.
 * @param {import("./planes.js").Plane} mask pixels other than 0 count
 * @returns {Components}
 */
export function findComponents(mask) {
  const runs = maskRuns(mask);
  const roots = touchingRuns(runs, mask.height);
  const numbers = new Int32Array(roots.length);
  let count = 0;
  // A root is the first run of its component.
  for (let run = 0; run < roots.length; run++) numbers[run] = roots[run] === run ? count++ : numbers[roots[run]];
  const first = new Int32Array(count + 1);
  for (let run = 0; run < numbers.length; run++) first[numbers[run] + 1]++;
  for (let k = 0; k < count; k++) first[k + 1] += first[k];
  const next = first.slice();
  const columns = () => new Int32Array(roots.length);
  const sorted = { rows: columns(), starts: columns(), ends: columns() };
  for (let run = 0; run < numbers.length; run++) {
    const to = next[numbers[run]]++;
    sorted.rows[to] = runs.rows[run];
    sorted.starts[to] = runs.starts[run];
    sorted.ends[to] = runs.ends[run];
  }
  return new Components(sorted, first);
}

/** Return the runs in reading order, and the index of the first run of each row. */
function maskRuns(mask) {
  const { width, height, data } = mask;
  const rowStarts = new Int32Array(height + 1);
  let count = 0;
  for (let y = 0, k = 0; y < height; y++) {
    rowStarts[y] = count;
    for (let x = 0, before = 0; x < width; x++, k++) {
      const own = data[k] ? 1 : 0;
      count += own & ~before;
      before = own;
    }
  }
  rowStarts[height] = count;
  const runs = { rowStarts, rows: new Int32Array(count), starts: new Int32Array(count), ends: new Int32Array(count) };
  for (let y = 0, run = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; run < rowStarts[y + 1]; run++) {
      while (!data[row + x]) x++;
      runs.rows[run] = y;
      runs.starts[run] = x;
      while (x < width && data[row + x]) x++;
      runs.ends[run] = x;
    }
  }
  return runs;
}

/** Return for each run the first run connected to it, with corners. */
function touchingRuns({ rowStarts, starts, ends }, height) {
  const roots = Int32Array.from(starts, (_, run) => run);
  for (let y = 1; y < height; y++) {
    let above = rowStarts[y - 1];
    for (let run = rowStarts[y]; run < rowStarts[y + 1]; run++) {
      while (above < rowStarts[y] && ends[above] < starts[run]) above++;
      for (let other = above; other < rowStarts[y] && starts[other] <= ends[run]; other++) join(roots, other, run);
    }
  }
  for (let run = 0; run < roots.length; run++) roots[run] = roots[roots[run]];
  return roots;
}

function rootOf(roots, one) {
  let root = one;
  while (roots[root] !== root) root = roots[root];
  for (let next; roots[one] !== root; one = next) {
    next = roots[one];
    roots[one] = root;
  }
  return root;
}

function join(roots, one, other) {
  const [a, b] = [rootOf(roots, one), rootOf(roots, other)];
  if (a < b) roots[b] = a;
  else roots[a] = b;
}

/**
 * Return for each of `count` items the smallest one that pairs connect to it.
 * @param {number} count
 * @param {[number, number][]} pairs
 * @returns {Int32Array}
 */
export function joined(count, pairs) {
  const roots = Int32Array.from({ length: count }, (_, k) => k);
  for (const [one, other] of pairs) join(roots, one, other);
  for (let k = 0; k < count; k++) roots[k] = rootOf(roots, k);
  return roots;
}
