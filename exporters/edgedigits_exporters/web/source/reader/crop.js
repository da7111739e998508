/**
 * Crop the digits that a finder boxed, and frame the ink of each, by its own small surroundings.
 *
 * Around each box lies a window of the picture: the ground is a plane fitted to the window's rim, and the ink is what
 * differs from it inside the box.
 */
import { Box } from "./box.js";
import { frameDigit } from "./frame.js";
import { fromGround } from "./ground_plane.js";
import { rint } from "./numbers.js";
import { Parts, foreignPixels, ownStrokes, widened } from "./parts.js";
import { boundsOf, countNonzero, makePlane, transposed } from "./planes.js";
import { DETAIL, both, canvasSides, makeCanvas, windowOf, without } from "./windows.js";

// Small digits are blurred. What their pixels differ from the mean of 3x3 is added SHARPENED times, divided by their
// longest side in pixels, but at most MOST_SHARPENED times. Digits above DETAIL are sharp enough.
const SHARPENED = 30;
const MOST_SHARPENED = 4;

// Less contrast, in grey levels, or less than INK_TO_NOISE times the noise, is no writing.
const LEAST_CONTRAST = 8;
const INK_TO_NOISE = 3;

// Fraction of the full contrast from which a pixel is stroke.
const STROKE_LEVEL = 0.32;

// A ground with less noise, in grey levels, is clean: then every trace of ink belongs to the digit.
const CLEAN = 0.6;

// Contrast that is not stretched: MNIST's own images end at 254 or 255.
const FULL_CONTRAST = 230;

// A line goes through at least this much of a window's width, and rises by at most this much of its side over it; the
// window reaches at least this far beyond the box, in pixels of the canvas. Where a stroke crosses it, it is this thick.
const LINE = 0.95;
const SLOPE = 0.2;
const LEAST_RIM_WIDTH = 2;
const THICKEST_LINE = 5;

/**
 * Crop and frame what boxes show; boxes without ink are left out.
 * @param {import("./pixels.js").Pixels} pixels
 * @param {number[][]} boxes x, y, width and height, about tight; ink shared by several boxes is divided among them
 * @param {number[]} [wanted] indices of the boxes to crop
 * @returns {{index: number, framed: import("./planes.js").Plane, box: Box, fill: number}[]} box: of the ink; fill: the
 *   fraction of it which is ink
 */
export function cropFound(pixels, boxes, wanted = boxes.map((_, k) => k)) {
  const windows = boxes.map((box) => windowOf(box, [pixels.width, pixels.height]));
  const sides = canvasSides(wanted.map((k) => windows[k]));
  return wanted.flatMap((index, k) => {
    const window = windows[index];
    const others = windows.filter((other, j) => j !== index && reachesInto(other, window));
    const ink = inkOf(makeCanvas(pixels, window, sides[k]), others);
    return boundsOf(ink) ? [{ index, framed: frameDigit(ink), ...extent(ink, window) }] : [];
  });
}

function reachesInto({ low, high }, { start, end }) {
  return [0, 1].every((k) => low[k] < end[k] && high[k] > start[k]);
}

/** Return the ink of a canvas's digit, bright on 0, stretched to full contrast. */
function inkOf(canvas, others) {
  const { side, box, window, of } = canvas;
  const ground = fromGround(canvas);
  const clean = ground.noise < CLEAN;
  const away = clean ? ground.away : sharpened(ground.away, side, of);
  let found = strokesOf(away, ground.noise, box, window);
  let parts = new Parts(found.strokes, side);
  const lines = linesAcross(parts, found.strokes, canvas);
  if (lines) {
    // The ink may be fainter than the lines, or on the other side of the ground.
    found = strokesOf(away, ground.noise, without(box, lines), without(window, lines));
    parts = new Parts(found.strokes, side);
  }
  const { ink, strokes } = found;
  const own = ownStrokes(strokes, parts, canvas, foreignPixels(canvas, others));
  // With the grey edges, but not those of other components.
  let written = clean ? own : both(without(widened(own, side), without(strokes, own)), window);
  if (lines) written = without(written, lines);
  let full = clean ? 0 : found.contrast;
  if (clean) for (let k = 0; k < ink.length; k++) if (own[k] && ink[k] > full) full = ink[k];
  full = full < FULL_CONTRAST ? Math.fround(full) : 255;
  const factor = Math.fround(255 / Math.max(full, 1));
  const shown = makePlane(side, side);
  for (let k = 0; k < ink.length; k++) {
    if (written[k]) shown.data[k] = Math.min(rint(Math.fround(ink[k] * factor)), 255);
  }
  return shown;
}

/** Return differences from the ground with a small digit sharpened. */
function sharpened(away, side, { low, high }) {
  const longest = Math.max(high[0] - low[0], high[1] - low[1]);
  if (longest > DETAIL) return away;
  const strength = Math.fround(Math.min(SHARPENED / longest, MOST_SHARPENED));
  const last = side - 1;
  const result = new Float32Array(away.length);
  for (let y = 0, k = 0; y < side; y++) {
    const rows = [Math.max(y - 1, 0), y, Math.min(y + 1, last)];
    for (let x = 0; x < side; x++, k++) {
      let sum = 0;
      for (const row of rows) {
        const from = row * side;
        sum += away[from + Math.max(x - 1, 0)] + away[from + x] + away[from + Math.min(x + 1, last)];
      }
      result[k] = away[k] + strength * (away[k] - sum / 9);
    }
  }
  return result;
}

/** Return ink, its contrast in the box, and which pixels are strokes: what differs on the side that differs more. */
function strokesOf(away, noise, box, window) {
  let [signed, cubes, fourths] = [0, 0, 0];
  for (let k = 0; k < away.length; k++) {
    if (!box[k]) continue;
    const cube = away[k] * away[k] * away[k];
    signed += cube;
    cubes += Math.abs(cube);
    fourths += cube * away[k];
  }
  // A mean in which faint noise hardly counts.
  const contrast = fourths / Math.max(cubes, 1e-3);
  const isWriting = contrast >= Math.max(LEAST_CONTRAST, INK_TO_NOISE * noise);
  const least = Math.fround(noise < CLEAN ? 0.99 : Math.max(INK_TO_NOISE * noise + 0.5, STROKE_LEVEL * contrast));
  const [ink, strokes] = [new Float32Array(away.length), new Uint8Array(away.length)];
  for (let k = 0; k < away.length; k++) {
    ink[k] = Math.max(signed >= 0 ? away[k] : -away[k], 0);
    if (isWriting && window[k] && ink[k] >= least) strokes[k] = 1;
  }
  return { ink, contrast, strokes };
}

/** Return the mask of straight lines across the whole window, without the strokes that cross them; null without. */
function linesAcross(parts, strokes, { side, of }) {
  const { low, high, start, factor, size } = of;
  const spanning = parts.spanning(size).map((spans, axis) => {
    const before = (low[axis] - start[axis]) / factor;
    return spans && Math.min(before, size[axis] - (high[axis] - start[axis]) / factor) >= LEAST_RIM_WIDTH;
  });
  let lines = null;
  const add = (found) => (lines = lines ? lines.map((value, k) => value | found[k]) : found);
  const turned = (mask) => transposed(makePlane(side, side, mask)).data;
  if (spanning[0]) add(levelLines(strokes, size[0], side));
  if (spanning[1]) add(turned(levelLines(turned(strokes), size[1], side)));
  return lines?.includes(1) ? lines : null;
}

/** Return the mask of lines from left to right that are level or nearly so. */
function levelLines(strokes, width, side) {
  const through = new Uint8Array(strokes.length);
  const reach = Math.trunc(SLOPE * side);
  for (let rise = -reach; rise <= reach; rise++) {
    const shift = Array.from({ length: side }, (_, x) => rint(rise * (x / (side - 1) - 0.5)));
    for (let row = 0; row < side; row++) {
      const line = shift.map((by, x) => (row + by >= 0 && row + by < side ? (row + by) * side + x : -1));
      const count = line.reduce((sum, pixel) => sum + (pixel >= 0 ? strokes[pixel] : 0), 0);
      if (count >= LINE * width) for (const pixel of line) if (pixel >= 0) through[pixel] = 1;
    }
  }
  const lines = both(through, strokes);
  // A stroke that crosses a line goes on above and below it.
  const [above, below] = [-side, side].map((step) => reached(without(strokes, lines), lines, step));
  return without(lines, both(above, below));
}

/** Return a mask that has grown into lines, by THICKEST_LINE rows, from the neighbours at `step`. */
function reached(mask, lines, step) {
  let grown = mask;
  for (let k = 0; k < THICKEST_LINE; k++) {
    const before = grown;
    grown = before.map((value, pixel) => value | ((before[pixel + step] ?? 0) & lines[pixel]));
  }
  return grown;
}

/** Return the box of ink on a canvas in picture pixels, and how much of it is ink. */
function extent(ink, { start, end, factor }) {
  const { left, top, right, bottom } = boundsOf(ink);
  const corner = [left, top].map((at, k) => start[k] + factor * at);
  const far = [right, bottom].map((at, k) => Math.min(start[k] + factor * at, end[k]));
  const fill = Math.fround(countNonzero(ink) / ((right - left) * (bottom - top)));
  return { box: new Box(...corner, far[0] - corner[0], far[1] - corner[1]), fill };
}
