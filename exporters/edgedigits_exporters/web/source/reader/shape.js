/** Shape: reject candidates that do not look like a digit, for any output of the network. */
import { isCross } from "./crosses.js";
import { argsort } from "./numbers.js";
import { countNonzero, inkSum } from "./planes.js";

// A mark lower than this share of its line's height is a point, a comma or a stroke.
const SMALLEST = 0.45;

// Fewer pixels in height cannot be read. A little higher, and this small a share of the picture, is dirt.
const FEWEST_PIXELS = 5;
const DIRT_PIXELS = 13;
const DIRT = 0.015;

// Wider than this many heights is a minus or a line.
const FLATTEST = 2;

// Parts with this share of the height empty between them are a colon, an equals sign or an i; the bar of a 5 is nearer.
const EMPTY_ROWS = 0.25;

// An upright block of ink: even a bold digit, except a 1, leaves a third of its box empty.
const SOLID = 0.93;
const SOLID_WIDTH = 0.5;

// The strokes of one writer are alike. A mark with this share of the usual ink, and of the usual ink per stroke length
// (its width by its brightness), is something else: print of the other side, or a scanner's streak.
const TRACE_INK = 0.2;
const TRACE_PEN = 0.45;

// From this confidence on, a flat 2 is not a minus and a crossed 4 not a plus: no drawn operator reaches it. In
// float32, as confidences are.
const SURE = Math.fround(0.8);

/**
 * Return for each candidate why its shape is not a digit's; empty if it may be a digit.
 * @param {import("./locate.js").Layout} layout
 * @param {import("./planes.js").Plane[]} framed its candidates, 28x28 each
 * @param {number[]} sure confidence of each as a digit
 * @returns {string[]}
 */
export function shapeFaults({ candidates, side }, framed, sure) {
  const least = Math.max(FEWEST_PIXELS, Math.min(DIRT_PIXELS, DIRT * side));
  const traces = areTraces(candidates);
  return candidates.map((candidate, k) => {
    const doubted = sure[k] < SURE;
    if (doubted && candidate.box.width > FLATTEST * candidate.box.height) return "as flat as a minus";
    const fault = shapeFault(candidate, least);
    if (fault) return fault;
    if (doubted && isCross(framed[k])) return "operator shape";
    return traces[k] ? "a thin or faint trace" : "";
  });
}

/** Return which candidates have little ink, in much thinner or fainter strokes than the others. */
function areTraces(candidates) {
  if (candidates.length === 1) return [false];
  const ink = candidates.map((candidate) => inkSum(candidate.ink));
  const pen = candidates.map((candidate, k) => (ink[k] / countNonzero(candidate.ink)) * candidate.stroke);
  const half = ink.reduce((sum, own) => sum + own, 0) / 2;
  let weight = 0;
  // The median by ink instead of marks: a few strokes outweigh many specks.
  const usual = argsort(ink).find((k) => (weight += ink[k]) >= half);
  return pen.map((own, k) => own < TRACE_PEN * pen[usual] && ink[k] < TRACE_INK * ink[usual]);
}

function shapeFault({ box, ink, height, fill }, least) {
  if (box.height < least) return `${box.height} pixels high`;
  if (height < SMALLEST) return "small beside its neighbours";
  if (mostEmptyRows(ink) > EMPTY_ROWS * box.height) return "parts that stand apart";
  if (box.width >= SOLID_WIDTH * box.height && fill >= SOLID) return "a solid patch";
  return "";
}

/** Return the maximum number of rows without ink between two rows with ink. */
function mostEmptyRows({ width, height, data }) {
  let most = 0;
  let before = -1;
  for (let row = 0; row < height; row++) {
    if (!data.subarray(row * width, (row + 1) * width).some((level) => level > 0)) continue;
    if (before >= 0) most = Math.max(most, row - before - 1);
    before = row;
  }
  return most;
}
