/**
 * Ground: how light the bare paper is at every place, and whether the ink on it is dark or light.
 *
 * Works on the picture reduced so far that no stroke is lost and nothing costs time: light changes slowly. Three kinds
 * of ground are known. One level, where the border has one: drawings. A smooth surface, fitted so that strokes do not
 * pull at it: small pictures. And the envelope, which follows the edges of shadows, pages and tables: photos.
 */
import { closed, envelope, inkWeight, inkWithin, isThin, strong } from "./envelope.js";
import { leastSquares } from "./least_squares.js";
import { median, medianLevel, quantile, rint } from "./numbers.js";
import { arePages } from "./pages.js";
import { countNonzero, inverted, makePlane, subtracted } from "./planes.js";
import { blockMeans } from "./resampling.js";

// Below this side a picture has too few pixels for windows; strokes are as wide as what lies between them.
export const LEAST_LOCAL_SIDE = 64;

// The border has one level where so much of it is within a level of the median.
const UNIFORM_SHARE = 0.75;

// The surface is fitted to a grid of at most so many pixels a side.
const FIT_SIDE = 64;

// A surface that spans so many levels follows more than light. What covers so much of the picture or of its border
// is no ink.
const STEEP = 128;
const LIT_SHARE = 0.4;
const LIT_BORDER = 0.15;

// Windows to compare strokes with the gaps between them, as parts of the longest side.
const NARROW = [1 / 48, 1 / 24, 1 / 12, 1 / 6];
const NEARLY_ALL = 0.7;
const HEAVIER = 2;

// Where the light falls below this part of the paper's, ink is as much weaker, and is strengthened, at most so much.
const SHADE = 0.9;
const MOST_SHADE_GAIN = 3;
export const GAIN_BITS = 6;

// No paper: darker than in any shadow, or of another tint. A tint is the darkest over the lightest channel.
const DARKEST_SHADE = 0.3;
const OTHER_TINT = 0.25;

/**
 * The ground of a picture, for ink of one polarity: whether the ink is darker than it, its level under every pixel of
 * the reduced picture (inverted where ink is light), whether it is all one level, and by how much times 2 to the
 * GAIN_BITS weak light weakens ink, 0 where there is no paper; null where it is even.
 * @typedef {{darkInk: boolean, level: import("./planes.js").Plane, uniform: boolean,
 *            gain: import("./planes.js").Plane | null}} Ground
 */

/**
 * Find the ground of a picture.
 * @param {import("./planes.js").Plane} darkest each pixel's darkest channel, on which dark ink shows best
 * @param {import("./planes.js").Plane} lightest each pixel's lightest channel
 * @param {number} factor by how much the picture is reduced
 * @returns {Ground}
 */
export function findGround(darkest, lightest, factor) {
  const dark = { grey: reduced(darkest, factor), border: borderLevels(darkest) };
  const light = { grey: inverted(reduced(lightest, factor)), border: borderLevels(lightest).map((level) => 255 - level) };
  let { darkInk, level, uniform } = smoothGround(dark, light);
  const smooth = { darkInk, level, uniform, gain: null };
  if (Math.min(level.width, level.height) < LEAST_LOCAL_SIDE) return smooth;
  const ink = strong(subtracted(level, (darkInk ? dark : light).grey));
  if (!uniform && (isLit(ink) || spanOf(level) >= STEEP)) {
    darkInk = isDarkNarrower(dark.grey, light.grey, darkInk);
  } else if (arePages(ink) && isThin((darkInk ? light : dark).grey)) {
    darkInk = !darkInk;
  } else if (uniform) {
    return smooth;
  }
  const local = envelope((darkInk ? dark : light).grey);
  const gain = darkInk ? shadeGain(local.level, closed(inverted(light.grey), local.window)) : null;
  return { darkInk, level: local.level, uniform: false, gain };
}

/** Say whether ink is none: nothing written covers so much, but a page or the shadowed part of a picture. */
function isLit(ink) {
  if (countNonzero(ink) / ink.data.length >= LIT_SHARE) return true;
  const border = borderLevels(ink);
  let lit = 0;
  for (let k = 0; k < border.length; k++) lit += border[k];
  return lit / border.length >= LIT_BORDER;
}

function spanOf(grey) {
  let [low, high] = [255, 0];
  for (let k = 0; k < grey.data.length; k++) {
    if (grey.data[k] < low) low = grey.data[k];
    if (grey.data[k] > high) high = grey.data[k];
  }
  return high - low;
}

/** Find the ground as the side sees it on which there is more ink. */
function smoothGround(dark, light) {
  const [one, other] = [dark, light].map(({ grey, border }) => {
    const { level, uniform } = commonLevel(border);
    const smooth = uniform ? filled(grey, level) : fittedSurface(grey, level);
    // Ink lies far from the ground on one side, noise near it on both.
    return { level: smooth, uniform, heavy: inkWeight(subtracted(smooth, grey)) };
  });
  const darkInk = one.heavy >= other.heavy;
  const { level, uniform } = darkInk ? one : other;
  return { darkInk, level, uniform };
}

function filled(grey, level) {
  return makePlane(grey.width, grey.height, new Uint8Array(grey.data.length).fill(level));
}

/**
 * Say whether dark ink is narrower than light ink; `otherwise` where that tells nothing.
 *
 * Strokes are narrower than the gaps between them. Gaps that are narrower than strokes, as in an 8, weigh less.
 */
function isDarkNarrower(dark, light, otherwise) {
  const [one, other] = [dark, light].map((grey) => {
    const found = NARROW.map((part) => inkWeight(inkWithin(grey, part)));
    const all = found[found.length - 1];
    return { all, width: found.findIndex((weight) => weight >= NEARLY_ALL * all) };
  });
  if (one.width < other.width || other.all < one.all) return true;
  return other.width < one.width ? false : otherwise || other.all < HEAVIER * one.all;
}

/**
 * Return the mean of each block of factor x factor.
 * @param {import("./planes.js").Plane} grey
 * @param {number} factor
 * @returns {import("./planes.js").Plane}
 */
export function reduced(grey, factor) {
  return factor > 1 ? blockMeans(grey.data, grey.width, grey.height, 1, factor) : grey;
}

/** Return by how much weak light weakens dark ink, by the ground of the darkest and of the lightest channel. */
function shadeGain(level, lightest) {
  const { data } = level;
  if (!countNonzero(level)) return null;
  const paper = Math.max(quantile(Float64Array.from(data), 0.9), 1);
  const tints = [];
  for (let k = 0; k < data.length; k++) {
    if (data[k] / paper >= SHADE) tints.push(data[k] / Math.max(lightest.data[k], 1));
  }
  const leastTint = median(tints) - OTHER_TINT;
  const gain = makePlane(level.width, level.height);
  let even = true;
  for (let k = 0; k < data.length; k++) {
    const part = data[k] / paper;
    if (part < SHADE) even = false;
    if (part < DARKEST_SHADE || data[k] / Math.max(lightest.data[k], 1) < leastTint) {
      even = false;
    } else {
      const weaker = 1 / Math.max(part, 1 / MOST_SHADE_GAIN);
      gain.data[k] = rint(2 ** GAIN_BITS * Math.min(Math.max(weaker, 1), MOST_SHADE_GAIN));
    }
  }
  return even ? null : gain;
}

/** Return the level along a border, and whether nearly all of the border has it. */
function commonLevel(border) {
  const counts = new Int32Array(256);
  for (let k = 0; k < border.length; k++) counts[border[k]]++;
  const level = rint(medianLevel(counts, border.length));
  const same = counts[level];
  const near = same + (counts[level - 1] ?? 0) + (counts[level + 1] ?? 0);
  return { level, uniform: 2 * same > border.length && near >= UNIFORM_SHARE * border.length };
}

/** Return the pixels along the border; of one row or column each counts twice. */
function borderLevels(plane) {
  const { width, height, data } = plane;
  const inner = Math.max(height - 2, 0);
  const border = new Uint8Array(2 * width + 2 * inner);
  border.set(data.subarray(0, width));
  border.set(data.subarray((height - 1) * width), width);
  for (let y = 0; y < inner; y++) {
    border[2 * width + y] = data[(y + 1) * width];
    border[2 * width + inner + y] = data[(y + 2) * width - 1];
  }
  return border;
}

/**
 * Fit a quadratic surface to the ground, starting from its level at the border.
 *
 * Iteratively reweighted least squares with Tukey's biweight (Beaton and Tukey 1974): pixels far from the surface, the
 * strokes, lose their weight whichever side they lie on.
 */
function fittedSurface(grey, level) {
  const step = Math.ceil(Math.max(grey.width, grey.height) / FIT_SIDE);
  const { terms, values } = fitSamples(grey, step);
  const surface = new Float64Array(values.length).fill(level);
  let solution = new Float64Array(6);
  const away = new Float64Array(values.length);
  for (let k = 0; k < 8; k++) {
    for (let n = 0; n < values.length; n++) away[n] = Math.abs(values[n] - surface[n]);
    // By the lower quartile: thick strokes may cover more than half of the picture.
    const scale = Math.max((4.685 / 0.3186) * quantile(away, 0.25), 6);
    solution = reweightedFit(terms, values, surface, scale);
    for (let n = 0, t = 0; n < values.length; n++) {
      let sum = 0;
      for (let term = 0; term < 6; term++, t++) sum += terms[t] * solution[term];
      surface[n] = sum;
    }
  }
  return drawnSurface(grey, solution);
}

function reweightedFit(terms, values, surface, scale) {
  const matrix = Array.from({ length: 6 }, () => new Float64Array(6));
  const sums = new Float64Array(6);
  for (let n = 0, t = 0; n < values.length; n++, t += 6) {
    const part = (values[n] - surface[n]) / scale;
    const root = 1 - part * part;
    if (root <= 0) continue;
    const weight = root * root;
    for (let row = 0; row < 6; row++) {
      const weighted = terms[t + row] * weight;
      sums[row] += weighted * values[n];
      for (let column = row; column < 6; column++) matrix[row][column] += weighted * terms[t + column];
    }
  }
  for (let row = 1; row < 6; row++) for (let column = 0; column < row; column++) matrix[row][column] = matrix[column][row];
  return leastSquares(matrix, sums);
}

/** Return where pixels lie along a side, -1 to 1 from end to end. */
function placesAlong(side) {
  return Float64Array.from({ length: side }, (_, k) => ((k + 0.5) * 2) / side - 1);
}

function fitSamples(grey, step) {
  const [xs, ys] = [placesAlong(grey.width), placesAlong(grey.height)];
  const [wide, high] = [Math.ceil(grey.width / step), Math.ceil(grey.height / step)];
  const terms = new Float64Array(6 * wide * high);
  const values = new Float64Array(wide * high);
  let n = 0;
  for (let row = 0; row < grey.height; row += step) {
    for (let column = 0; column < grey.width; column += step, n++) {
      const [x, y] = [xs[column], ys[row]];
      terms.set([1, x, y, x * x, x * y, y * y], 6 * n);
      values[n] = grey.data[row * grey.width + column];
    }
  }
  return { terms, values };
}

function drawnSurface(grey, solution) {
  const [a, b, c, d, e, f] = solution;
  const [xs, ys] = [placesAlong(grey.width), placesAlong(grey.height)];
  const drawn = makePlane(grey.width, grey.height);
  for (let row = 0, k = 0; row < grey.height; row++) {
    const y = ys[row];
    for (let column = 0; column < grey.width; column++, k++) {
      const x = xs[column];
      drawn.data[k] = Math.min(Math.max(rint(a + x * b + y * c + x * x * d + x * y * e + y * y * f), 0), 255);
    }
  }
  return drawn;
}
