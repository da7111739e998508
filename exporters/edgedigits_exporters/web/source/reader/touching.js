/**
 * Touching: where digits that run into each other may be cut apart.
 *
 * A cut is a seam from top to bottom that crosses as little ink as possible (Avidan and Shamir, "Seam carving for
 * content-aware image resizing", 2007), so that it follows slanted digits and cuts a blurred pair where the blur is
 * faintest. Whether to cut is decided later, when the network has classified the pieces and the whole.
 */
import { trimmed } from "./marks.js";
import { argmin, argsort, rint, total } from "./numbers.js";
import { makePlane } from "./planes.js";

// Maximum distance of a seam from its starting column, and distance of starting columns, in heights.
const SEAM_REACH = 0.08;
const SEAM_STEP = 0.04;

// Seams are searched on at most this many rows.
const SEAM_ROWS = 40;

// A cut that crosses more ink than this share of the height cuts through a digit.
const MOST_INK = 0.45;

// A piece narrower than this share of the height, or with a smaller share of the ink, is not a digit.
const NARROWEST = 0.12;
const LEAST_INK = 0.08;

// Width of the narrowest digit among touching digits, in heights.
const PLACE = 0.2;
const MOST_CUTS = 12;

// A mark wider than this many heights is a line, not a row of touching digits.
const WIDEST_ROW = 16;

/**
 * Return a mark cut at every seam that may separate two digits, from left to right; the mark itself without seams.
 * @param {import("./marks.js").Mark} mark one or several digits
 * @param {import("./planes.js").Plane} ink the picture in the box of the mark
 * @returns {import("./marks.js").Mark[]}
 */
export function pieces(mark, ink) {
  const { width, height, data } = mark.mask;
  if (width > WIDEST_ROW * height) return [mark];
  const factor = Math.ceil(height / SEAM_ROWS);
  const cost = seamCosts(mark.mask, ink, factor);
  const ends = chosenSeams(cheapestSeams(cost), cost).map((seam) => {
    return Int32Array.from({ length: height }, (_, row) => Math.min(seam[Math.floor(row / factor)] * factor, width));
  });
  const cut = new Int32Array(height);
  const parts = [...ends, new Int32Array(height).fill(width)].map((end) => {
    const part = makePlane(width, height);
    for (let row = 0; row < height; row++) {
      const start = row * width;
      for (let k = start + cut[row]; k < start + end[row]; k++) part.data[k] = data[k];
      cut[row] = Math.max(cut[row], end[row]);
    }
    return trimmed(part, mark.box.x, mark.box.y);
  });
  return parts.filter((part) => part !== null);
}

/** Return the ink of a mark, sampled by `factor`, 0..1, float32. */
function seamCosts(mask, ink, factor) {
  const [width, rows] = [Math.ceil(mask.width / factor), Math.ceil(mask.height / factor)];
  const data = new Float32Array(width * rows);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let column = 0; column < width; column++, to++) {
      const from = row * factor * mask.width + column * factor;
      data[to] = mask.data[from] ? ink.data[from] / 255 : 0;
    }
  }
  return { width, rows, data };
}

/** Return the cheapest seam near each of some columns, as a column for each row, and the ink that it crosses. */
function cheapestSeams(cost) {
  const { width, rows, data } = cost;
  const reach = Math.max(2, rint(SEAM_REACH * rows));
  const step = Math.max(1, rint(SEAM_STEP * rows));
  const found = [];
  for (let centre = step; centre < width - step + 1; centre += step) {
    const seam = cheapestSeam(cost, centre, reach);
    let crossed = 0;
    // A seam is left of its pixel, whose ink stays in the right piece.
    for (let row = 0; row < rows; row++) crossed += data[row * width + Math.min(Math.max(seam[row], 0), width - 1)];
    found.push({ seam: seam.map((column) => Math.min(Math.max(column, 0), width)), crossed });
  }
  return found;
}

function cheapestSeam({ width, rows, data }, centre, reach) {
  const band = 2 * reach + 1;
  const first = centre - reach;
  const at = (row, k) => (first + k < 0 || first + k >= width ? 1 : data[row * width + first + k]);
  // Leaving the middle costs a little, which keeps seams straight.
  const aside = Float64Array.from({ length: band }, (_, k) => (0.02 * Math.abs(k - reach)) / reach);
  let sums = aside.map((side, k) => at(0, k) + side);
  const back = new Int8Array(rows * band);
  for (let row = 1; row < rows; row++) {
    const before = sums;
    sums = aside.map((side, k) => {
      let [least, move] = [before[k], 0];
      if (k > 0 && before[k - 1] + 0.01 < least) [least, move] = [before[k - 1] + 0.01, -1];
      if (k < band - 1 && before[k + 1] + 0.01 < least) [least, move] = [before[k + 1] + 0.01, 1];
      back[row * band + k] = move;
      return least + at(row, k) + side;
    });
  }
  const seam = new Int32Array(rows);
  for (let row = rows - 1, k = argmin(sums); row >= 0; row--) {
    seam[row] = first + k;
    k += back[row * band + k];
  }
  return seam;
}

/** Return the seams that cross the least ink and leave space for a digit between them, from left to right. */
function chosenSeams(seams, cost) {
  const { width, rows, data } = cost;
  const most = Math.min(MOST_CUTS, Math.trunc(width / (PLACE * rows)));
  const ink = new Float64Array(data.length);
  for (let k = 0; k < ink.length; k++) ink[k] = data[k] + (k % width ? ink[k - 1] : 0);
  const edges = [new Int32Array(rows), new Int32Array(rows).fill(width)];
  for (const k of argsort(seams.map((seam) => seam.crossed))) {
    if (edges.length === most + 2 || seams[k].crossed > MOST_INK * rows) break;
    const { seam } = seams[k];
    // Behind seams of the same place, as in a stable sort.
    let at = 1;
    while (at < edges.length - 1 && total(edges[at]) <= total(seam)) at++;
    if (isPiece(edges[at - 1], seam, ink, width) && isPiece(seam, edges[at], ink, width)) edges.splice(at, 0, seam);
  }
  return edges.slice(1, -1);
}

/** Return whether the part between two seams may be a digit; `ink` is summed along each row. */
function isPiece(left, right, ink, width) {
  const rows = left.length;
  let [wide, within, whole] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    if (right[row] < left[row]) return false;
    const start = row * width;
    wide += right[row] - left[row];
    within += (right[row] > 0 ? ink[start + right[row] - 1] : 0) - (left[row] > 0 ? ink[start + left[row] - 1] : 0);
    whole += ink[start + width - 1];
  }
  return wide / rows >= NARROWEST * rows && within >= LEAST_INK * whole;
}
