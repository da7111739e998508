/** Found: from the finder's outputs to boxes: peaks of heat, then the best of boxes that overlap. */

/** Pixels of a cell at each of the finder's levels. */
export const STRIDES = [4, 8, 16, 32];

// Peaks that are considered, the surest first.
const MOST = 600;

// Intersection over union, and share of the smaller box, from which the less sure of two boxes is dropped.
const OVERLAP = 0.35;
const COVERED = 0.6;

// Logarithm of the longest side, in cells; more would overflow.
const LONGEST = 5;

/**
 * Something that stands on a picture: x, y, width and height in pixels, and the scores, 0..1, of a digit and a letter.
 * @typedef {{box: number[], score: number, letterScore: number}} Found
 *
 * The outputs of a level, by rows of cells: the logits of a digit's and of a letter's centre, and from the cell's
 * centre to the box's, right and down, and the logarithms of width and height, all in cells.
 * @typedef {{rows: number, columns: number, heat: Float32Array, box: Float32Array}} Level
 */

/**
 * Return what the network's outputs say, in pixels of its input, the surest first.
 * @param {Level[]} levels for each of STRIDES
 * @param {number} threshold least score, as a digit or as a letter
 * @returns {Found[]}
 */
export function decode(levels, threshold) {
  const least = Math.fround(Math.log(threshold / (1 - threshold)));
  return bestOf(levels.flatMap((level, k) => decodedLevel(STRIDES[k], level, least)));
}

/**
 * Return, the surest first, what overlaps nothing surer.
 * @param {Found[]} all
 * @returns {Found[]}
 */
export function bestOf(all) {
  const sureness = ({ score, letterScore }) => Math.max(score, letterScore);
  const sorted = [...all].sort((a, b) => sureness(b) - sureness(a)).slice(0, MOST);
  const kept = [];
  for (const each of sorted) if (!kept.some((other) => clash(each.box, other.box))) kept.push(each);
  return kept;
}

function decodedLevel(stride, { rows, columns, heat, box }, least) {
  const { fround, exp, max, min } = Math;
  const warmth = (cell) => max(heat[2 * cell], heat[2 * cell + 1]);
  const isPeak = (x, y, own) => {
    for (let row = max(y - 1, 0); row <= min(y + 1, rows - 1); row++) {
      for (let column = max(x - 1, 0); column <= min(x + 1, columns - 1); column++) {
        if (warmth(row * columns + column) > own) return false;
      }
    }
    return true;
  };
  const score = (logit) => fround(1 / fround(1 + fround(exp(-logit))));
  const found = [];
  for (let y = 0, cell = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, cell++) {
      const own = warmth(cell);
      if (own < least || !isPeak(x, y, own)) continue;
      const [right, down, ...logarithms] = box.subarray(4 * cell, 4 * cell + 4);
      const [width, height] = logarithms.map((side) => fround(exp(min(side, LONGEST))));
      const centre = [fround(x + 0.5 + right), fround(y + 0.5 + down)];
      const corner = [fround(centre[0] - width / 2), fround(centre[1] - height / 2)];
      found.push({
        box: [...corner, width, height].map((value) => fround(stride * value)),
        score: score(heat[2 * cell]),
        letterScore: score(heat[2 * cell + 1]),
      });
    }
  }
  return found;
}

function clash([x, y, width, height], [otherX, otherY, otherWidth, otherHeight]) {
  const across = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
  const down = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
  const common = Math.max(across, 0) * Math.max(down, 0);
  const [area, other] = [width * height, otherWidth * otherHeight];
  return common > OVERLAP * (area + other - common) || common > COVERED * Math.min(area, other);
}
