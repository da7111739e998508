/**
 * Ruled lines: remove the printed lines of ruled and squared paper and of forms from under the digits.
 *
 * A ruled line runs straight across the whole picture, unlike a stroke. Cut into strips, it appears in nearly every
 * strip, at the place given by its slope. It is erased where there is no writing beside it.
 */
import { interpolated, medianLevel } from "./levels.js";
import { median, rint } from "./numbers.js";
import { makePlane, transposed } from "./planes.js";
import { BOX_FILTER, blockMeans, resized } from "./resampling.js";

// Ruled lines are searched in this many strips across them, each reduced to at most this many rows.
const STRIPS = 16;
const STRIP_ROWS = 384;

// Steepest line, as rise over run and in rows per strip, and step of the slopes tried: wrong by one row at the ends.
const STEEPEST_RULE = 0.14;
const MOST_ROWS = 3;
const FINENESS = 0.125;

// A ruled line may be missing from this share of the strips. In the others it has at least this share of full contrast,
// and stands out by this factor from the rows between lines. Its thickness is at most this share of the picture, or
// three pixels.
const MISSING = 0.15;
const LEAST_STRENGTH = 0.1;
const STANDS_OUT = 2;
const BETWEEN = 16;
const THICKEST_RULE = 0.03;
const MOST_BENT = 1.5;

// A single line is a ruled line if it is this much fainter than strokes, or in this outer part of the picture.
const STROKE_STRENGTH = 0.5;
const RULE_EDGE = 0.15;

// From this share of full contrast on there is writing beside a ruled line.
const WRITTEN = 0.35;
const WRITTEN_TO_NOISE = 2;

/**
 * A ruled line, in pixels: the row of its middle in each column, the rows it covers above and below, its mean
 * contrast, and whether it runs along the picture's edge.
 * @typedef {{rows: Int32Array, reach: number, strength: number, atEdge: boolean}} RuledLine
 */

/**
 * Return the ink without ruled lines; the same plane if there are none.
 * @param {import("./planes.js").Plane} ink bright on 0
 * @param {number} peak full contrast
 * @param {number} noise level of noise; on an empty page it is near the contrast of the ruled lines
 * @returns {import("./planes.js").Plane}
 */
export function withoutRuledLines(ink, peak, noise) {
  const { width, height } = ink;
  // One reduced picture with enough rows for both directions.
  const factor = Math.max(1, Math.floor(Math.min(width, height) / STRIP_ROWS));
  const small = factor > 1 ? blockMeans(ink.data, width, height, 1, factor) : ink;
  const level = findRuledLines(small, peak, { width, height });
  const upright = findRuledLines(transposed(small), peak, { width: height, height: width });
  if (mayBeStrokes([...level, ...upright], peak)) return ink;
  // Strides along rows and columns, for horizontal and for vertical lines.
  const sides = [
    { rules: level, along: width, across: height, next: 1, down: width },
    { rules: upright, along: height, across: width, next: width, down: 1 },
  ];
  const written = new Uint8Array(ink.data.length);
  const least = Math.max(WRITTEN * peak, WRITTEN_TO_NOISE * noise);
  for (let k = 0; k < written.length; k++) written[k] = ink.data[k] >= least ? 1 : 0;
  // Where lines cross, one is beside the other, which is not writing.
  for (const side of sides) for (const rule of side.rules) clearBand(written, rule, side);
  const rest = makePlane(width, height, ink.data.slice());
  for (const side of sides) for (const rule of side.rules) eraseRule(rest.data, rule, written, side);
  return rest;
}

/** Return whether apparent lines may be a 1, or the bar of a 4 or a 7, that crosses the picture. */
function mayBeStrokes(rules, peak) {
  if (!rules.length) return true;
  return rules.length === 1 && !rules[0].atEdge && rules[0].strength >= STROKE_STRENGTH * peak;
}

/**
 * Return the ruled lines from left to right.
 * @param {import("./planes.js").Plane} small the reduced ink
 * @param {number} peak full contrast
 * @param {{width: number, height: number}} size size of the ink, in whose pixels the lines are returned
 * @returns {RuledLine[]}
 */
export function findRuledLines(small, peak, size) {
  const rows = Math.min(STRIP_ROWS, small.height);
  // By strips, each from top to bottom.
  const strips = transposed(resized(small, STRIPS, rows, BOX_FILTER));
  const steepest = Math.min(MOST_ROWS, (((STEEPEST_RULE * size.width) / STRIPS) * rows) / size.height);
  const { strength, slopes } = ruleStrengths(strips, steepest);
  const found = [];
  for (const row of strengthPeaks(strength, Math.max(LEAST_STRENGTH * peak, 2))) {
    const rule = followedRule(strips, row, slopes[row], strength[row], size);
    if (rule) found.push(rule);
  }
  return found;
}

/** Return the strength of a line through the middle of each row, and its slope in rows per strip. */
function ruleStrengths(strips, steepest) {
  const rows = strips.width;
  const reach = Math.trunc((steepest * STRIPS) / 2) + 1;
  const near = paddedMaxima(strips, reach);
  const strength = new Uint8Array(rows);
  const slopes = new Float64Array(rows);
  const found = new Uint8Array(rows).fill(0);
  triedSlopes(steepest).forEach((slope, number) => {
    const starts = Int32Array.from({ length: STRIPS }, (_, strip) => {
      return strip * near.width + reach + rint(slope * (strip - (STRIPS - 1) / 2));
    });
    for (let row = 0; row < rows; row++) {
      const ends = Math.min(near.data[starts[0] + row], near.data[starts[STRIPS - 1] + row]);
      // The flattest first, since the first of equal ones is taken.
      if (number && ends <= found[row]) continue;
      const along = Math.min(ends, strengthInMost(near.data, starts, row));
      if (number && along <= found[row]) continue;
      found[row] = strength[row] = along;
      slopes[row] = slope;
    }
  });
  return { strength, slopes };
}

/** Return the slopes to try, flattest first. */
function triedSlopes(steepest) {
  const slopes = [0];
  for (let step = 1; step <= Math.trunc(steepest / FINENESS); step++) slopes.push(-step * FINENESS, step * FINENESS);
  return slopes;
}

/** Return each strip with the maximum of every row and its neighbours, and `reach` zeros at both ends. */
function paddedMaxima(strips, reach) {
  const rows = strips.width;
  const near = makePlane(rows + 2 * reach, STRIPS);
  for (let strip = 0; strip < STRIPS; strip++) {
    const own = strips.data.subarray(strip * rows, (strip + 1) * rows);
    for (let row = 0; row < rows; row++) {
      const beside = Math.max(row ? own[row - 1] : 0, row < rows - 1 ? own[row + 1] : 0);
      near.data[strip * near.width + reach + row] = Math.max(own[row], beside);
    }
  }
  return near;
}

/** Return the smallest value of a row over all strips but the smallest few, given by MISSING. */
function strengthInMost(data, starts, row) {
  // MISSING of STRIPS is 2, so this is the third smallest.
  let [least, second, third] = [255, 255, 255];
  for (let strip = 0; strip < STRIPS; strip++) {
    const value = data[starts[strip] + row];
    if (value >= third) continue;
    if (value < least) [least, second, third] = [value, least, second];
    else if (value < second) [second, third] = [value, second];
    else third = value;
  }
  return third;
}

/** Return the rows of ruled lines: the middles of the strongest rows within reach. */
function strengthPeaks(strength, least) {
  const count = strength.length;
  const isTop = (row) => {
    if (row < 0 || row >= count || strength[row] < least) return false;
    for (let near = Math.max(row - 3, 0); near <= Math.min(row + 3, count - 1); near++) {
      if (strength[near] > strength[row]) return false;
    }
    return true;
  };
  const peaks = [];
  // The middle of a plateau: the maxima of one thin line are three rows wide.
  for (let row = 0; row < count; row++) {
    if (!isTop(row)) continue;
    const start = row;
    while (isTop(row + 1)) row++;
    const middle = (start + row) >> 1;
    if (strength[middle] >= STANDS_OUT * strengthBetween(strength, middle)) peaks.push(middle);
  }
  return peaks;
}

/** Return the median strength around a row, mirrored at the ends. */
function strengthBetween(strength, row) {
  const last = strength.length - 1;
  const reach = Math.min(BETWEEN, last);
  const counts = new Int32Array(256);
  for (let near = row - reach; near <= row + reach; near++) {
    counts[strength[near < 0 ? -near : near > last ? 2 * last - near : near]]++;
  }
  return medianLevel(counts, 2 * reach + 1);
}

/** Follow a ruled line from strip to strip; null if it is too thick. */
function followedRule(strips, row, slope, strength, { width, height }) {
  const scale = height / strips.width;
  const expected = Array.from({ length: STRIPS }, (_, strip) => row + slope * (strip - (STRIPS - 1) / 2));
  const spans = expected.map((place, strip) => {
    return lineSpan(strips.data.subarray(strip * strips.width, (strip + 1) * strips.width), rint(place));
  });
  const thickness = median(spans.map(([first, last]) => last - first)) + 1;
  if (thickness * scale > Math.max(3, THICKEST_RULE * Math.max(width, height))) return null;
  const offsets = spans.map(([first, last], strip) => (first + last) / 2 - expected[strip]);
  const usual = median(offsets);
  // Where writing crosses it, the middle in the strip is not the line's.
  const kept = offsets.map((offset) => (Math.abs(offset - usual) > MOST_BENT ? usual : offset));
  const middles = Array.from({ length: STRIPS }, (_, strip) => ((strip + 0.5) * width) / STRIPS);
  const columns = Float64Array.from({ length: width }, (_, column) => column + 0.5);
  const bent = interpolated(columns, middles, kept);
  let sum = 0;
  const rows = Int32Array.from(columns, (column, k) => {
    const drift = row + slope * ((column / width) * STRIPS - STRIPS / 2);
    const place = (drift + bent[k] + 0.5) * scale - 0.5;
    sum += place;
    return rint(place);
  });
  const middle = sum / width / height;
  const reach = Math.ceil((thickness * scale) / 2) + 1;
  return { rows, reach, strength, atEdge: Math.min(middle, 1 - middle) <= RULE_EDGE };
}

/** Return the first and the last row of a line in one strip near a place. */
function lineSpan(strip, place) {
  const start = Math.min(Math.max(place - 2, 0), strip.length - 1);
  const end = Math.min(Math.max(place + 3, start + 1), strip.length);
  let best = start;
  for (let row = start + 1; row < end; row++) if (strip[row] > strip[best]) best = row;
  const low = Math.max(strip[best] / 2, 1);
  let first = best;
  while (first > 0 && strip[first - 1] >= low) first--;
  let last = best;
  while (last < strip.length && strip[last] >= low) last++;
  return [first, Math.max(last - 1, best)];
}

/** Remove a ruled line from a mask. */
function clearBand(mask, rule, { along, across, next, down }) {
  for (let column = 0; column < along; column++) {
    for (let offset = -rule.reach; offset <= rule.reach; offset++) {
      const row = Math.min(Math.max(rule.rows[column] + offset, 0), across - 1);
      mask[row * down + column * next] = 0;
    }
  }
}

/** Erase a ruled line from ink, in place, except where there is writing just above or below it. */
function eraseRule(ink, rule, written, { along, across, next, down }) {
  const { reach, rows } = rule;
  const beside = new Uint8Array(along);
  for (let column = 0; column < along; column++) {
    for (const offset of [-reach - 2, -reach - 1, reach + 1, reach + 2]) {
      const row = rows[column] + offset;
      if (row >= 0 && row < across) beside[column] |= written[row * down + column * next];
    }
  }
  const kept = widenedAlong(beside, reach + 1);
  for (let column = 0; column < along; column++) {
    if (kept[column]) continue;
    const first = Math.max(rows[column] - reach, 0);
    const last = Math.min(rows[column] + reach, across - 1);
    for (let row = first; row <= last; row++) ink[row * down + column * next] = 0;
  }
}

/** Return a line of 0 and 1 with each 1 widened by `slack` to both sides. */
function widenedAlong(line, slack) {
  const wide = new Uint8Array(line.length);
  for (let k = 0; k < line.length; k++) if (line[k]) wide.fill(1, Math.max(k - slack, 0), k + slack + 1);
  return wide;
}
