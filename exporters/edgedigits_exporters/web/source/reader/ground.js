/**
 * Ground: the level of bare paper at every place, and whether ink on it is dark or light.
 *
 * Works on a reduced picture in which all strokes are kept, since light changes slowly. There are three kinds of
 * ground: one level, where the border has one, as in drawings; a smooth surface, fitted so that strokes do not affect
 * it, in small pictures; and the envelope, which follows the edges of shadows, pages and tables, in photos.
 */
import { closed, envelope, inkWeight, inkWithin, isThin, meanStrokeWidth, strong } from "./envelope.js";
import { leastSquares } from "./least_squares.js";
import { medianLevel, quantile } from "./levels.js";
import { median, rint } from "./numbers.js";
import { areSheets } from "./sheets.js";
import { countNonzero, inverted, makePlane, subtracted } from "./planes.js";
import { blockMeans } from "./resampling.js";

// Pictures with a smaller side have too few pixels for windows: strokes are as wide as the gaps between them.
export const LEAST_LOCAL_SIDE = 64;

// The border has one level if this share of it is within one level of the median.
const UNIFORM_SHARE = 0.75;

// The surface is fitted to a grid of at most this many pixels per side.
const FIT_SIDE = 64;

// A surface over a larger range of levels follows more than light. A mask that covers these shares of the picture or
// its border is not ink.
const STEEP = 128;
const LIT_SHARE = 0.4;
const LIT_BORDER = 0.15;

// A surface over a smaller range is even light with noise. Strokes as wide as this share of the longest side are found
// on it: a window that contains them and their junctions could cover the whole picture.
const EVEN = 4;
const BROAD = 0.1;

// Windows that compare strokes with the gaps between them, as shares of the longest side.
const NARROW = [1 / 48, 1 / 24, 1 / 12, 1 / 6];
const NEARLY_ALL = 0.7;
const HEAVIER = 2;

// Below this share of the paper's light, ink is weaker by the same factor and is amplified, at most by this gain.
const SHADE = 0.9;
const MOST_SHADE_GAIN = 3;
export const GAIN_BITS = 6;

// Not paper: darker than any shadow, or of another tint. The tint is the darkest divided by the lightest channel.
const DARKEST_SHADE = 0.3;
const OTHER_TINT = 0.25;

/**
 * The ground of a picture, for ink of one polarity: whether ink is darker than the ground; the level under every pixel
 * of the reduced picture, inverted for light ink; whether it is one level; the gain of ink in weak light times 2 to
 * the GAIN_BITS, 0 where there is no paper, null for even light.
 * @typedef {{darkInk: boolean, level: import("./planes.js").Plane, uniform: boolean,
 *            gain: import("./planes.js").Plane | null}} Ground
 */

/**
 * Find the ground of a picture.
 * @param {import("./planes.js").Plane} darkest darkest channel of each pixel, in which dark ink has most contrast
 * @param {import("./planes.js").Plane} lightest lightest channel of each pixel
 * @param {number} factor factor by which the picture is reduced
 * @returns {Ground}
 */
export function findGround(darkest, lightest, factor) {
  const dark = { grey: reduced(darkest, factor), border: borderLevels(darkest) };
  const lightBorder = borderLevels(lightest).map((level) => 255 - level);
  const light = { grey: inverted(reduced(lightest, factor)), border: lightBorder };
  let { darkInk, level, uniform } = smoothGround(dark, light);
  const smooth = { darkInk, level, uniform, gain: null };
  if (Math.min(level.width, level.height) < LEAST_LOCAL_SIDE) return smooth;
  const ink = strong(subtracted(level, (darkInk ? dark : light).grey));
  if (!uniform && (isLit(ink) || spanOf(level) >= STEEP)) {
    darkInk = isDarkNarrower(dark.grey, light.grey, darkInk);
  } else if (areSheets(ink) && isThin((darkInk ? light : dark).grey)) {
    darkInk = !darkInk;
  } else if (uniform || (spanOf(level) <= EVEN && isBroad(ink))) {
    return smooth;
  }
  const local = envelope((darkInk ? dark : light).grey);
  const gain = darkInk ? shadeGain(local.level, closed(inverted(light.grey), local.window)) : null;
  return { darkInk, level: local.level, uniform: false, gain };
}

/** Return whether a mask is too large for ink: a page or the shadowed part of a picture. */
function isLit(ink) {
  if (countNonzero(ink) / ink.data.length >= LIT_SHARE) return true;
  const border = borderLevels(ink);
  let lit = 0;
  for (let k = 0; k < border.length; k++) lit += border[k];
  return lit / border.length >= LIT_BORDER;
}

function isBroad(ink) {
  return meanStrokeWidth(ink) >= BROAD * Math.max(ink.width, ink.height);
}

function spanOf(grey) {
  let [low, high] = [255, 0];
  for (let k = 0; k < grey.data.length; k++) {
    if (grey.data[k] < low) low = grey.data[k];
    if (grey.data[k] > high) high = grey.data[k];
  }
  return high - low;
}

/** Return the ground for the polarity that has more ink. */
function smoothGround(dark, light) {
  const [one, other] = [dark, light].map(({ grey, border }) => {
    const { level, uniform } = commonLevel(border);
    const smooth = uniform ? filled(grey, level) : fittedSurface(grey, level);
    // Ink is far from the ground on one side, noise near it on both.
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
 * Return whether dark ink is narrower than light ink; `otherwise` if that cannot be decided.
 *
 * Strokes are narrower than the gaps between them. Gaps that are narrower than strokes, as in an 8, have less weight.
 */
function isDarkNarrower(dark, light, otherwise) {
  const [one, other] = [dark, light].map((grey) => {
    const weightWithin = (part) => inkWeight(inkWithin(grey, part));
    const all = weightWithin(NARROW[NARROW.length - 1]);
    return { all, width: NARROW.findIndex((part) => weightWithin(part) >= NEARLY_ALL * all) };
  });
  if (one.width < other.width || other.all < one.all) return true;
  return other.width < one.width ? false : otherwise || other.all < HEAVIER * one.all;
}

// Reduced pictures, cached while their originals are in use, since several stages need the same ones.
const REDUCTIONS = new WeakMap();

/**
 * Return the mean of each block of factor x factor.
 * @param {import("./planes.js").Plane} grey not changed afterwards
 * @param {number} factor the same in all calls for one picture
 * @returns {import("./planes.js").Plane}
 */
export function reduced(grey, factor) {
  if (factor === 1) return grey;
  if (!REDUCTIONS.has(grey)) REDUCTIONS.set(grey, blockMeans(grey.data, grey.width, grey.height, 1, factor));
  return REDUCTIONS.get(grey);
}

/** Return the gain of dark ink in weak light, from the ground of the darkest and the lightest channel. */
function shadeGain(level, lightest) {
  const { width, height, data } = level;
  if (!countNonzero(level)) return null;
  const paper = Math.max(quantile(Float64Array.from(data), 0.9), 1);
  const tints = new Float64Array(data.length);
  for (let k = 0; k < data.length; k++) tints[k] = data[k] / Math.max(lightest.data[k], 1);
  const lit = new Float64Array(data.length);
  let count = 0;
  for (let k = 0; k < data.length; k++) if (data[k] / paper >= SHADE) lit[count++] = tints[k];
  const leastTint = median(lit.subarray(0, count)) - OTHER_TINT;
  const table = Uint8Array.from({ length: 256 }, (_, own) => gainAt(own / paper));
  const gain = makePlane(width, height);
  let even = true;
  for (let k = 0; k < data.length; k++) {
    gain.data[k] = tints[k] < leastTint ? 0 : table[data[k]];
    if (gain.data[k] === 0 || data[k] / paper < SHADE) even = false;
  }
  return even ? null : gain;
}

/** Return the gain of ink in this share of the paper's light, times 2 to the GAIN_BITS; 0 for non-paper. */
function gainAt(part) {
  if (part < DARKEST_SHADE) return 0;
  const weaker = 1 / Math.max(part, 1 / MOST_SHADE_GAIN);
  return rint(2 ** GAIN_BITS * Math.min(Math.max(weaker, 1), MOST_SHADE_GAIN));
}

/** Return the median level of a border, and whether nearly all of the border has it. */
function commonLevel(border) {
  const counts = new Int32Array(256);
  for (let k = 0; k < border.length; k++) counts[border[k]]++;
  const level = rint(medianLevel(counts, border.length));
  const same = counts[level];
  const near = same + (counts[level - 1] ?? 0) + (counts[level + 1] ?? 0);
  return { level, uniform: 2 * same > border.length && near >= UNIFORM_SHARE * border.length };
}

/** Return the pixels of the border; those of a single row or column count twice. */
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
 * Fit a quadratic surface to the ground, starting from the level of the border.
 *
 * Iteratively reweighted least squares with Tukey's biweight (Beaton and Tukey 1974): pixels far from the surface on
 * either side, the strokes, lose their weight.
 */
function fittedSurface(grey, level) {
  const step = Math.ceil(Math.max(grey.width, grey.height) / FIT_SIDE);
  const grid = fitGrid(grey, step);
  let solution = [level, 0, 0, 0, 0, 0];
  for (let k = 0; k < 8; k++) {
    const away = residuals(grid, solution);
    // From the lower quartile, since thick strokes may cover more than half of the picture.
    const scale = Math.max((4.685 / 0.3186) * quantile(away.map(Math.abs), 0.25), 6);
    solution = reweightedFit(grid, away, scale);
  }
  const { xs, ys } = fitGrid(grey, 1);
  const drawn = makePlane(grey.width, grey.height);
  for (let row = 0, k = 0; row < grey.height; row++) {
    const [flat, slope, bend] = surfaceAlong(solution, ys[row]);
    for (let column = 0; column < grey.width; column++, k++) {
      const x = xs[column];
      drawn.data[k] = Math.min(Math.max(rint(flat + x * (slope + x * bend)), 0), 255);
    }
  }
  return drawn;
}

/** Return every `step`-th pixel by rows, and the places of columns and rows, -1 to 1 from end to end. */
function fitGrid(grey, step) {
  const places = (side) => {
    return Float64Array.from({ length: Math.ceil(side / step) }, (_, k) => ((k * step + 0.5) * 2) / side - 1);
  };
  const [xs, ys] = [places(grey.width), places(grey.height)];
  const values = new Float64Array(xs.length * ys.length);
  for (let row = 0, k = 0; row < ys.length; row++) {
    const start = row * step * grey.width;
    for (let column = 0; column < xs.length; column++, k++) values[k] = grey.data[start + column * step];
  }
  return { xs, ys, values };
}

/** Return a surface along one row: the coefficients of 1, x and x * x. */
function surfaceAlong([one, x, y, xx, xy, yy], place) {
  return [one + place * (y + place * yy), x + place * xy, xx];
}

/** Return how far each value is above the surface. */
function residuals({ xs, ys, values }, solution) {
  const away = new Float64Array(values.length);
  for (let row = 0, k = 0; row < ys.length; row++) {
    const [flat, slope, bend] = surfaceAlong(solution, ys[row]);
    for (let column = 0; column < xs.length; column++, k++) {
      const x = xs[column];
      away[k] = values[k] - (flat + x * (slope + x * bend));
    }
  }
  return away;
}

/** Return the coefficients of 1, x, y, x * x, x * y and y * y that fit the values best, weighted by their residuals. */
function reweightedFit({ xs, ys, values }, away, scale) {
  // Sums of weight * x^i * y^j and, in the second, of the same times the value.
  const moments = Array.from({ length: 5 }, () => new Float64Array(5));
  const heights = Array.from({ length: 3 }, () => new Float64Array(3));
  for (let row = 0, k = 0; row < ys.length; row++) {
    let [m0, m1, m2, m3, m4, h0, h1, h2] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let column = 0; column < xs.length; column++, k++) {
      const part = away[k] / scale;
      const root = 1 - part * part;
      if (root <= 0) continue;
      const x = xs[column];
      const w0 = root * root;
      const w1 = w0 * x;
      const w2 = w1 * x;
      m0 += w0;
      m1 += w1;
      m2 += w2;
      m3 += w2 * x;
      m4 += w2 * x * x;
      h0 += w0 * values[k];
      h1 += w1 * values[k];
      h2 += w2 * values[k];
    }
    for (let j = 0, power = 1; j < 5; j++, power *= ys[row]) {
      [m0, m1, m2, m3, m4].forEach((sum, i) => (moments[i][j] += sum * power));
      if (j < 3) [h0, h1, h2].forEach((sum, i) => (heights[i][j] += sum * power));
    }
  }
  const terms = [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]];
  const matrix = terms.map(([i, j]) => Float64Array.from(terms, ([k, l]) => moments[i + k][j + l]));
  return leastSquares(matrix, terms.map(([i, j]) => heights[i][j]));
}
