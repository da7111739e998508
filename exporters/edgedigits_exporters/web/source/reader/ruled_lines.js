/**
 * Rules: the printed lines of ruled and squared paper and of forms, taken out from under the digits.
 *
 * A rule runs straight across the whole picture, as no stroke does: cut into strips, it shows in nearly every strip, at
 * the place where its slope leads. It is erased where nothing is written beside it.
 */
import { interpolated, median, medianLevel, rint } from "./numbers.js";
import { makePlane, transposed } from "./planes.js";
import { BOX_FILTER, blockMeans, resized } from "./resampling.js";

// Rules are looked for in so many strips across them, each reduced to at most so many rows.
const STRIPS = 16;
const STRIP_ROWS = 384;

// The steepest rule, as rise over run and in rows a strip, and how finely slopes are tried: off by a row at the ends.
const STEEPEST_RULE = 0.14;
const MOST_ROWS = 3;
const FINENESS = 0.125;

// A rule shows in all strips but this part of them, with at least this part of full contrast, and stands out as much
// from what lies between the rules. It is no thicker than this part of the picture, or three pixels.
const MISSING = 0.15;
const LEAST_STRENGTH = 0.1;
const STANDS_OUT = 2;
const BETWEEN = 16;
const THICKEST_RULE = 0.03;
const MOST_BENT = 1.5;

// A lone rule is one if it is so much fainter than strokes, or along the edge: in this outer part of the picture.
const STROKE_STRENGTH = 0.5;
const RULE_EDGE = 0.15;

// The part of full contrast from which on something is written beside a rule.
const WRITTEN = 0.35;
const WRITTEN_TO_NOISE = 2;

/**
 * One rule, in pixels: the row of its middle in each column, how many rows it covers above and below, its mean
 * contrast, and whether it runs along the picture's edge.
 * @typedef {{rows: Int32Array, reach: number, strength: number, atEdge: boolean}} RuledLine
 */

/**
 * Return the ink without rules; the same plane where there is none.
 * @param {import("./planes.js").Plane} ink bright on 0
 * @param {number} peak full contrast
 * @param {number} noise how far the bare ground strays; on an empty page it comes near the contrast of the rules
 * @returns {import("./planes.js").Plane}
 */
export function withoutRuledLines(ink, peak, noise) {
  const { width, height } = ink;
  // Both directions are looked for in one picture with rows enough for either.
  const factor = Math.max(1, Math.floor(Math.min(width, height) / STRIP_ROWS));
  const small = factor > 1 ? blockMeans(ink.data, width, height, 1, factor) : ink;
  const level = findRuledLines(small, peak, { width, height });
  const upright = findRuledLines(transposed(small), peak, { width: height, height: width });
  if (mayBeStrokes([...level, ...upright], peak)) return ink;
  // Rows and columns of the picture as a level and as an upright rule sees them.
  const sides = [
    { rules: level, along: width, across: height, next: 1, down: width },
    { rules: upright, along: height, across: width, next: width, down: 1 },
  ];
  const written = new Uint8Array(ink.data.length);
  const least = Math.max(WRITTEN * peak, WRITTEN_TO_NOISE * noise);
  for (let k = 0; k < written.length; k++) written[k] = ink.data[k] >= least ? 1 : 0;
  // Where rules cross, one has the other beside it, which is no writing.
  for (const side of sides) for (const rule of side.rules) clearBand(written, rule, side);
  const rest = makePlane(width, height, ink.data.slice());
  for (const side of sides) for (const rule of side.rules) eraseRule(rest.data, rule, written, side);
  return rest;
}

/** Say whether what looks like rules may be a 1, or the bar of a 4 or a 7, that runs through the picture. */
function mayBeStrokes(rules, peak) {
  if (!rules.length) return true;
  return rules.length === 1 && !rules[0].atEdge && rules[0].strength >= STROKE_STRENGTH * peak;
}

/**
 * Return the rules that run from the left to the right.
 * @param {import("./planes.js").Plane} small the ink reduced
 * @param {number} peak full contrast
 * @param {{width: number, height: number}} size of the ink, which the rules are given for
 * @returns {RuledLine[]}
 */
export function findRuledLines(small, peak, size) {
  const rows = Math.min(STRIP_ROWS, small.height);
  // Strip by strip, each from top to bottom.
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

/** Return how strong a rule through the middle of each row is, and its slope in rows a strip. */
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
      // The flattest first: of equals the first is taken.
      if (number && ends <= found[row]) continue;
      const along = Math.min(ends, shownInMost(near.data, starts, row));
      if (number && along <= found[row]) continue;
      found[row] = strength[row] = along;
      slopes[row] = slope;
    }
  });
  return { strength, slopes };
}

/** Return the slopes to try, the flattest first. */
function triedSlopes(steepest) {
  const slopes = [0];
  for (let step = 1; step <= Math.trunc(steepest / FINENESS); step++) slopes.push(-step * FINENESS, step * FINENESS);
  return slopes;
}

/** Return each strip with every row the maximum of it and its neighbours, and `reach` zeros at both ends. */
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

/** Return the smallest of a row's values in all strips but the few smallest, of which there are MISSING. */
function shownInMost(data, starts, row) {
  // MISSING of STRIPS is 2, so it is the third smallest.
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

/** Return the rows where a rule runs: in the middle of the strongest within reach. */
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
  // Of a plateau the middle: the near maxima of one thin rule are three rows wide.
  for (let row = 0; row < count; row++) {
    if (!isTop(row)) continue;
    const start = row;
    while (isTop(row + 1)) row++;
    const middle = (start + row) >> 1;
    if (strength[middle] >= STANDS_OUT * strengthBetween(strength, middle)) peaks.push(middle);
  }
  return peaks;
}

/** Return the median strength around a row; beyond the ends it goes on mirrored. */
function strengthBetween(strength, row) {
  const last = strength.length - 1;
  const reach = Math.min(BETWEEN, last);
  const counts = new Int32Array(256);
  for (let near = row - reach; near <= row + reach; near++) {
    counts[strength[near < 0 ? -near : near > last ? 2 * last - near : near]]++;
  }
  return medianLevel(counts, 2 * reach + 1);
}

/** Follow one rule from strip to strip; null where it is too thick for one. */
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
  // Where something is written across, the strip's middle is not the rule's.
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

/** Return the first and the last row of the line in one strip that runs near a place. */
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

/** Take all that a rule covers out of a mask. */
function clearBand(mask, rule, { along, across, next, down }) {
  for (let column = 0; column < along; column++) {
    for (let offset = -rule.reach; offset <= rule.reach; offset++) {
      const row = Math.min(Math.max(rule.rows[column] + offset, 0), across - 1);
      mask[row * down + column * next] = 0;
    }
  }
}

/** Erase a rule from ink, in place, but where something is written just above or below it. */
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
