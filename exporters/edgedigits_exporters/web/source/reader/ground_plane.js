/** The ground around a found box: a plane fitted to its window's rim, and how far every pixel is from it. */
import { total } from "./numbers.js";
import { DETAIL, rectangle, without } from "./windows.js";

// The ground is fitted twice, the second time without pixels that are OUTLIER times farther from it than the mean.
const OUTLIER = 1.5;

// Keeps the plane from tilting where its rim lies on one side only.
const STIFFNESS = 0.03;

// Longest side of a window, on its canvas, from which every second row of it is fitted: the ground is smooth.
const LEAST_THINNED = 28;

// A smaller rim, as a fraction of the window, is completed by the window's outermost pixels.
const LEAST_RIM = 0.12;

// The colour that separates ink from ground is searched by so many steps; a variance of the ground below GROUND_LEVELS
// squared, or GROUND_SHARE of the ink's, counts as that.
const COLOUR_STEPS = 8;
const GROUND_LEVELS = 2;
const GROUND_SHARE = 0.03;

// ITU-R BT.601: where the search starts.
const LUMA = [0.299, 0.587, 0.114];

/**
 * Return the difference of each pixel from its ground, and the ground's noise.
 * @param {import("./windows.js").Canvas} canvas
 * @returns {{away: Float32Array, noise: number}}
 */
export function fromGround(canvas) {
  const [rim, box] = [rimOf(canvas), canvas.box].map((mask) => thinned(mask, canvas.side));
  const { planes, kept } = fittedPlanes(canvas, rim);
  const differences = canvas.channels.map((values, k) => {
    const found = levels(planes[k], canvas.side);
    for (let pixel = 0; pixel < found.length; pixel++) found[pixel] -= values[pixel];
    return found;
  });
  const mix = differences.length > 1 ? inkColour(differences, kept, box) : [1];
  const away = new Float32Array(canvas.side ** 2);
  let noise = 0;
  for (let pixel = 0; pixel < away.length; pixel++) {
    let sum = 0;
    for (let k = 0; k < mix.length; k++) sum += mix[k] * differences[k][pixel];
    away[pixel] = sum;
    if (kept[pixel]) noise += Math.abs(away[pixel]);
  }
  return { away, noise: noise / Math.max(total(kept), 1) };
}

/** Return the pixels around a box; where hardly any are, also the outermost of the window. */
function rimOf({ window, box, side, of }) {
  const rim = without(window, box);
  if (total(rim) >= LEAST_RIM * total(window)) return rim;
  const inner = rectangle([1, 1], of.size.map((length) => length - 1), side);
  return rim.map((value, k) => value | (window[k] & ~inner[k]));
}

/** Return a mask of a large canvas without every second row. */
function thinned(mask, side) {
  return side < LEAST_THINNED ? mask : mask.map((value, k) => (Math.floor(k / side) % 2 ? 0 : value));
}

/** Return a plane's level of each pixel, from its factors of a constant, x and y in -1..1. */
function levels([constant, right, down], side) {
  const found = new Float64Array(side * side);
  for (let y = 0, k = 0; y < side; y++) {
    for (let x = 0; x < side; x++, k++) found[k] = constant + right * scaled(x) + down * scaled(y);
  }
  return found;
}

function scaled(place) {
  return (2 * place + 1 - DETAIL) / DETAIL;
}

/** Fit a plane to the rim of each channel by least squares, without the ink of neighbours. */
function fittedPlanes({ channels, side }, rim) {
  const first = planesOf(channels, side, rim);
  const grounds = first.map((plane) => levels(plane, side));
  const away = new Float64Array(rim.length);
  channels.forEach((values, k) => {
    for (let pixel = 0; pixel < away.length; pixel++) {
      if (rim[pixel]) away[pixel] = Math.max(away[pixel], Math.abs(grounds[k][pixel] - values[pixel]));
    }
  });
  const most = Math.max((OUTLIER * total(away)) / Math.max(total(rim), 1), 1);
  const kept = rim.map((inside, pixel) => (inside && away[pixel] <= most ? 1 : 0));
  return { planes: planesOf(channels, side, kept), kept };
}

function planesOf(channels, side, kept) {
  let [count, right, down, right2, both, down2] = [0, 0, 0, 0, 0, 0];
  const sums = channels.map(() => [0, 0, 0]);
  for (let row = 0, pixel = 0; row < side; row++) {
    const y = scaled(row);
    for (let column = 0; column < side; column++, pixel++) {
      if (!kept[pixel]) continue;
      const x = scaled(column);
      count++;
      right += x;
      down += y;
      right2 += x * x;
      both += x * y;
      down2 += y * y;
      for (let k = 0; k < sums.length; k++) {
        const value = channels[k][pixel];
        sums[k][0] += value;
        sums[k][1] += value * x;
        sums[k][2] += value * y;
      }
    }
  }
  const weight = Math.max(count, 1);
  // A whole plane has a mean square of a third along x and y.
  const stiff = weight * STIFFNESS;
  const square = [[count + weight * 1e-9, right, down], [right, right2 + stiff, both], [down, both, down2 + stiff]];
  return sums.map((sum) => solved(square, sum));
}

/**
 * Return the mix of channels in which ink differs most from its ground, beside its noise: Fisher's linear
 * discriminant, found by power iteration.
 */
function inkColour(differences, ground, box) {
  const [noise, ink] = [ground, box].map((where) => covariance(differences, where));
  const least = GROUND_LEVELS ** 2 + GROUND_SHARE * (ink[0][0] + ink[1][1] + ink[2][2]);
  const stiff = noise.map((row, k) => row.map((value, j) => value + (j === k ? least : 0)));
  const columns = [0, 1, 2].map((k) => solved(stiff, ink.map((row) => row[k])));
  let mix = LUMA;
  for (let step = 0; step < COLOUR_STEPS; step++) {
    const next = [0, 1, 2].map((k) => columns.reduce((sum, column, j) => sum + column[k] * mix[j], 0));
    const size = Math.max(total(next.map(Math.abs)), 1e-9);
    mix = next.map((factor) => factor / size);
  }
  return mix;
}

/** Return the mean products of channels where a mask is. */
function covariance(differences, where) {
  const sums = differences.map(() => differences.map(() => 0));
  for (let pixel = 0; pixel < where.length; pixel++) {
    if (!where[pixel]) continue;
    for (let k = 0; k < sums.length; k++) {
      for (let j = 0; j < sums.length; j++) sums[k][j] += differences[k][pixel] * differences[j][pixel];
    }
  }
  return sums.map((row) => row.map((sum) => sum / Math.max(total(where), 1)));
}

/** Solve three linear equations by elimination with pivots. */
function solved(square, sums) {
  const rows = square.map((row, k) => [...row, sums[k]]);
  for (let k = 0; k < 3; k++) {
    let pivot = k;
    for (let row = k + 1; row < 3; row++) if (Math.abs(rows[row][k]) > Math.abs(rows[pivot][k])) pivot = row;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let row = k + 1; row < 3; row++) {
      const factor = rows[row][k] / rows[k][k];
      for (let column = k; column < 4; column++) rows[row][column] -= factor * rows[k][column];
    }
  }
  const found = [0, 0, 0];
  for (let k = 2; k >= 0; k--) {
    found[k] = rows[k][3];
    for (let column = k + 1; column < 3; column++) found[k] -= rows[k][column] * found[column];
    found[k] /= rows[k][k];
  }
  return found;
}
