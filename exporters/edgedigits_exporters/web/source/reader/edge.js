/** Edge: marks of the picture's edge that are not digits, such as the side of a page or a strip of table. */
import { referenceHeight } from "./grouping.js";
import { boxGap } from "./marks.js";
import { rint } from "./numbers.js";

// A mark of the edge has most of its ink in the outer band, this share of the picture's shorter side, and extends along
// most of a side.
const EDGE_BAND = 0.15;
const EDGE_INK = 0.8;
const EDGE_LENGTH = 0.6;

// Marks nearer to the edge than this share of the picture's shorter side run out of the picture.
const EDGE_GAP = 0.005;

/** Maximum of the boxes' area relative to the picture's: lines across the picture exceed it, digits do not. */
export const MOST_COVERED = 8;

// Minimum share of the ink away from the edge for the rest to be non-digits.
const CLEAR_INK = 0.5;

// Maximum distance of a part from its digit, as a share of the digit's height.
const BESIDE_DIGIT = 0.25;

/**
 * Return for each component whether it runs along the picture's edge.
 * @param {import("./components.js").Components} components of the ink
 * @param {import("./planes.js").Plane} ink
 * @param {Float64Array} weights ink of each component
 * @returns {boolean[]}
 */
export function hugsEdge(components, ink, weights) {
  const { width, height } = ink;
  const band = rint(EDGE_BAND * Math.min(height, width));
  let covered = 0;
  return Array.from(weights, (weight, k) => {
    const [top, left, bottom, right] = components.boxes.subarray(4 * k, 4 * k + 4);
    if (bottom - top < EDGE_LENGTH * height && right - left < EDGE_LENGTH * width) return false;
    covered += (bottom - top) * (right - left);
    if (covered > MOST_COVERED * ink.data.length) return false;
    let inner = 0;
    for (let run = components.first[k]; run < components.first[k + 1]; run++) {
      const row = components.rows[run];
      if (row < band || row >= height - band) continue;
      const end = Math.min(components.ends[run], width - band);
      for (let x = Math.max(components.starts[run], band); x < end; x++) inner += ink.data[row * width + x];
    }
    return inner <= (1 - EDGE_INK) * weight;
  });
}

/**
 * Return the marks without those that run out of the picture.
 *
 * In a picture cropped tight around a number, the outermost digits touch all four sides, and all are kept.
 * @param {import("./marks.js").Mark[]} marks of the picture
 * @param {{width: number, height: number}} size size of the picture
 * @param {boolean} [alone] keep marks that may be a part of a digit beside them
 */
export function withoutRunOut(marks, { width, height }, alone = false) {
  const near = EDGE_GAP * Math.min(height, width);
  const sides = marks.map(({ box }) => {
    return [box.y <= near, box.x <= near, box.bottom >= height - near, box.right >= width - near];
  });
  const clear = sides.map((reached) => !reached.includes(true));
  const usual = referenceHeight(marks);
  const isDigit = ({ box }) => usual / 2 <= box.height && box.height <= 2 * usual;
  const tight = [0, 1, 2, 3].every((side) => marks.some((mark, k) => sides[k][side] && isDigit(mark)));
  const areaOf = (some) => some.reduce((sum, mark) => sum + mark.area, 0);
  const inner = marks.filter((_, k) => clear[k]);
  if (tight || areaOf(inner) < CLEAR_INK * areaOf(marks)) return marks;
  const belongs = ({ box: own }) => inner.some(({ box }) => boxGap(own, box) <= BESIDE_DIGIT * box.height);
  return marks.filter((mark, k) => clear[k] || (alone && belongs(mark)));
}
