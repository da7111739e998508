/**
 * Locate: the places in the picture that may be digits.
 *
 * Ink is split into connected components. Those of the picture's edge and specks are removed, parts of one digit are
 * joined, and the rest is ordered in lines. Where geometry cannot distinguish one digit from two, both are candidates,
 * and the network decides, see segments.js.
 */
import { Box } from "./box.js";
import { findComponents } from "./components.js";
import { MOST_COVERED, hugsEdge, withoutRunOut } from "./edge.js";
import { grouped, referenceHeight } from "./grouping.js";
import { hypothesesOf, lowCost } from "./hypotheses.js";
import { Mark, maskStrokeWidth, trimmed, union } from "./marks.js";
import { argsort, median } from "./numbers.js";
import { linesOf } from "./order.js";
import { boundsOf, cropped, makePlane } from "./planes.js";
import { blockMaxima } from "./stroke_width.js";
import { pieces } from "./touching.js";

// Components are found on a picture reduced to about this many pixels; digits of a full page are still ten pixels high.
const SEARCH_PIXELS = 1_000_000;

// Digits of this height are large enough for the search; larger ones are reduced further.
const SEARCH_HEIGHT = 96;

// Components with a smaller share of the heaviest one's ink are specks. The bar of a 5 has about 15%.
const SPECK_SHARE = 0.03;

// More marks than on a dense page of digits: a texture.
const MOST_MARKS = 1000;
const MOST_CANDIDATES = 2000;

// Maximum of marks that may be several digits. On a page with more they are words, and are not cut.
const MOST_WIDE = 200;

// Marks lower than this share of the line's height are between digits, and do not define the line.
const LINE_HEIGHT = 0.4;

// A mark of at least this width, in heights of its line, may be two digits.
const CUT_WIDTH = 0.8;

// Among many marks, only those this much wider than usual, or wider than any digit.
const MANY_MARKS = 6;
const WIDER = 1.4;
const SURELY_WIDE = 1.3;

/**
 * A possible digit: its box in picture pixels, tight around its ink, and the box's pixels without those of other
 * marks; the first and last of its pieces in reading order; its line; its cost as one digit by geometry alone, a
 * negative log-likelihood; whether it was cut from a larger mark; its height relative to its line's; the width of its
 * strokes in pixels of the search; the share of its box that is ink.
 * @typedef {{box: Box, ink: import("./planes.js").Plane, first: number, last: number, line: number, cost: number,
 *            cut: boolean, height: number, stroke: number, fill: number}} Candidate
 *
 * Candidates in reading order of their first pieces, the number of pieces, the picture's shorter side, and a note if
 * something was given up.
 * @typedef {{candidates: Candidate[], pieces: number, side: number, note: string}} Layout
 */

/**
 * Return the candidates.
 * @param {import("./planes.js").Plane} ink bright on 0
 * @param {boolean} [whole] whether all ink may be one digit
 * @returns {Layout}
 */
export function locate(ink, whole = true) {
  if (!boundsOf(ink)) return { candidates: [], pieces: 0, side: 0, note: "" };
  let factor = Math.max(1, Math.ceil(Math.sqrt(ink.data.length / SEARCH_PIXELS)));
  let small = blockMaxima(ink, factor);
  let marks = marksOf(small);
  const finer = Math.floor(referenceHeight(marks) / SEARCH_HEIGHT);
  if (finer > 1) {
    factor *= finer;
    small = blockMaxima(ink, factor);
    marks = marksOf(small);
  }
  if (marks.length > MOST_MARKS) {
    return texture(`more than ${MOST_MARKS} separate marks`);
  }
  if (marks.reduce((sum, { mask }) => sum + mask.data.length, 0) > MOST_COVERED * small.data.length) {
    return texture("marks that lie across each other");
  }
  const parts = piecesOf(digitsApart(marks, small), small);
  let runs = hypothesesOf(parts, whole);
  if (runs.length > MOST_CANDIDATES) runs = runs.filter((run) => run.first === run.last);
  const candidates = runs.map((run) => candidateOf(parts, run, ink, factor));
  return { candidates, pieces: parts.length, side: Math.min(ink.width, ink.height), note: "" };
}

function texture(why) {
  return { candidates: [], pieces: 0, side: 0, note: `${why}: a texture, and no digits` };
}

/** Return the components without specks and those of the picture's edge. */
function marksOf(small) {
  const components = findComponents(small);
  const weights = componentWeights(components, small);
  const edge = hugsEdge(components, small, weights);
  let [hugging, heaviest, heaviestInside] = [0, 0, 0];
  weights.forEach((weight, k) => {
    heaviest = Math.max(heaviest, weight);
    if (edge[k]) hugging += weight;
    else heaviestInside = Math.max(heaviestInside, weight);
  });
  // A digit may fill its picture to the edge: then little remains without it.
  const without = heaviestInside >= SPECK_SHARE * hugging;
  const least = SPECK_SHARE * (without ? heaviestInside : heaviest);
  const marks = [];
  // Stop at one mask more than the limit.
  let covered = 0;
  for (let k = 0; k < components.count && marks.length <= MOST_MARKS; k++) {
    if ((without && edge[k]) || weights[k] < least) continue;
    if (covered > MOST_COVERED * small.data.length) break;
    const [top, left, bottom, right] = components.boxes.subarray(4 * k, 4 * k + 4);
    covered += (bottom - top) * (right - left);
    marks.push(new Mark(new Box(left, top, right - left, bottom - top), components.mask(k)));
  }
  return marks;
}

/** Return the ink of each component. */
function componentWeights(components, ink) {
  const weights = new Float64Array(components.count);
  for (let k = 0; k < components.count; k++) {
    for (let run = components.first[k]; run < components.first[k + 1]; run++) {
      const row = components.rows[run] * ink.width;
      for (let x = components.starts[run]; x < components.ends[run]; x++) weights[k] += ink.data[row + x];
    }
  }
  return weights;
}

/** Return the marks with the parts of one digit joined, without those that run out of the picture. */
function digitsApart(marks, size) {
  // First remove marks at the edge, whose size would mislead, then those whose parts lead to the edge.
  return withoutRunOut(grouped(withoutRunOut(marks, size, true)), size);
}

/** Return all marks in reading order, with those that may be several digits cut into pieces. */
function piecesOf(marks, small) {
  const wholeHeight = LINE_HEIGHT * referenceHeight(marks);
  const tall = marks.filter((mark) => mark.box.height >= wholeHeight);
  const lines = linesOf(tall.map((mark) => mark.box)).map((line) => line.map((k) => tall[k]));
  for (const mark of marks) if (mark.box.height < wholeHeight) nearestLine(mark, lines).push(mark);
  const least = leastCutWidth(tall);
  const heights = lines.map(referenceHeight);
  const isWide = ({ box }, height) => box.width / Math.min(height, box.height) >= least && box.height >= wholeHeight;
  const wide = new Set(lines.flatMap((line, number) => line.filter((mark) => isWide(mark, heights[number]))));
  if (wide.size > MOST_WIDE) wide.clear();
  const found = [];
  let group = 0;
  lines.forEach((line, number) => {
    const height = heights[number];
    for (const k of argsort(line.map((mark) => mark.box.middle[0]))) {
      const { x, y, width, height: high } = line[k].box;
      const parts = wide.has(line[k]) ? pieces(line[k], cropped(small, x, y, width, high)) : [line[k]];
      for (const mark of parts) found.push({ mark, group, line: number, height });
      group++;
    }
  });
  return found;
}

/** Return the minimum width of two digits in one mark, in heights, from the widths of all marks on the page. */
function leastCutWidth(marks) {
  if (marks.length < MANY_MARKS) return CUT_WIDTH;
  const usual = median(marks.map((mark) => mark.box.width / mark.box.height));
  return Math.min(Math.max(CUT_WIDTH, WIDER * usual), SURELY_WIDE);
}

function nearestLine(mark, lines) {
  const [x, y] = mark.box.middle;
  let [nearest, least] = [lines[0], Infinity];
  for (const line of lines) {
    for (const other of line) {
      const [otherX, otherY] = other.box.middle;
      const away = (x - otherX) ** 2 + 4 * (y - otherY) ** 2;
      if (away < least) [nearest, least] = [line, away];
    }
  }
  return nearest;
}

function candidateOf(parts, run, ink, factor) {
  const own = parts.slice(run.first, run.last + 1);
  const mark = union(own.map((part) => part.mark));
  const [left, top] = [mark.box.x * factor, mark.box.y * factor];
  const width = Math.min(mark.box.right * factor, ink.width) - left;
  const height = Math.min(mark.box.bottom * factor, ink.height) - top;
  const crop = makePlane(width, height);
  for (let y = 0, k = 0; y < height; y++) {
    const row = Math.floor(y / factor) * mark.mask.width;
    const from = (top + y) * ink.width + left;
    for (let x = 0; x < width; x++, k++) {
      if (mark.mask.data[row + Math.floor(x / factor)]) crop.data[k] = ink.data[from + x];
    }
  }
  const { box } = trimmed(crop, left, top);
  return {
    box,
    ink: cropped(crop, box.x - left, box.y - top, box.width, box.height),
    first: run.first,
    last: run.last,
    line: own[0].line,
    cost: run.cost + lowCost(box.height),
    cut: run.cut,
    height: mark.box.height / own[0].height,
    stroke: maskStrokeWidth(mark.mask),
    fill: mark.area / mark.mask.data.length,
  };
}
