/**
 * Hypotheses: runs of neighbouring pieces that may be one digit, and the cost of each by its geometry.
 *
 * Costs are negative log-likelihoods up to a constant, and are added to the network's, see segments.js. They were
 * chosen on the project's drawn pages and on MNIST's broken digits, none of which may be split.
 */
import { around, boxGap, markDistance } from "./marks.js";
import { argmin } from "./numbers.js";

// Number of neighbouring pieces tried as one digit, their maximum gap and width in heights.
const MOST_JOINED = 4;
const JOIN_GAP = 0.35;
const WIDEST = 1.7;

// A piece cut from touching digits is no wider than a digit. Half of the cost of each cut.
const WIDEST_CUT = 1.2;
const CUT = 0.2;

// Cost of joining two marks beside each other, or on two lines, that are as high as digits.
const SIDE_BY_SIDE = 2;
const FULL_HEIGHT = 0.75;
const SHARED_WIDTH = 0.25;

// In a picture with at most this many marks, all of them may be one digit.
const WHOLE_MARKS = 6;

// With so few marks one digit is more likely than on a line of many.
const WHOLE_COST = 0.7;

/**
 * A mark, or a piece cut from one, in search pixels: the number of its mark and of its line, and that line's height.
 * @typedef {{mark: import("./marks.js").Mark, group: number, line: number, height: number}} Piece
 *
 * Neighbouring pieces, from the first to the last, that may be one digit; its cost by geometry, and whether it was cut
 * from a mark.
 * @typedef {{first: number, last: number, cost: number, cut: boolean}} Hypothesis
 */

/**
 * Return the runs of pieces that may be one digit.
 * @param {Piece[]} parts
 * @param {boolean} whole whether all of them may be one digit
 * @returns {Hypothesis[]}
 */
export function hypothesesOf(parts, whole) {
  const runs = parts.flatMap((_, first) => hypothesesFrom(parts, first));
  const groups = new Set(parts.map((part) => part.group)).size;
  const last = parts.length - 1;
  if (whole && groups > 1 && groups <= WHOLE_MARKS && !runs.some((run) => run.first === 0 && run.last === last)) {
    runs.push({ first: 0, last, cost: wholeCost(parts), cut: false });
  }
  return runs;
}

/** Return the runs that begin with one piece. */
function hypothesesFrom(parts, first) {
  const runs = [];
  const start = parts[first];
  let cost = 0;
  for (let last = first; last < parts.length; last++) {
    const piece = parts[last];
    const groups = piece.group - start.group;
    if (piece.line !== start.line || groups >= MOST_JOINED) break;
    const before = parts.slice(first, last);
    if (last > first && parts[last - 1].group !== piece.group) {
      const apart = heightsApart(before, piece);
      if (apart > JOIN_GAP) break;
      cost += joinCost(apart) + (standSideBySide(before, piece) ? SIDE_BY_SIDE : 0);
    }
    const box = around([...before, piece].map((part) => part.mark.box));
    const width = box.width / Math.max(start.height, box.height);
    if (groups && width > WIDEST) break;
    const cuts = (isCutAfter(parts, first - 1) ? 1 : 0) + (isCutAfter(parts, last) ? 1 : 0);
    // A piece cut from one mark does not join the next mark.
    if (cuts && last > first && (groups || width > WIDEST_CUT)) continue;
    const costOfWidth = groups ? widthCost(width) : 0;
    runs.push({ first, last, cost: cost + CUT * cuts + costOfWidth, cut: cuts > 0 });
  }
  return runs;
}

/** Return the distance of a piece from those before it, in heights of the line; beyond JOIN_GAP it is not exact. */
function heightsApart(before, piece) {
  const near = before.filter((other) => boxGap(other.mark.box, piece.mark.box) <= JOIN_GAP * piece.height);
  return Math.min(...near.map((other) => markDistance(other.mark, piece.mark))) / piece.height;
}

/** Return whether a piece and those before it are side by side, both as high as digits of their line. */
function standSideBySide(before, piece) {
  const least = FULL_HEIGHT * piece.height;
  const left = around(before.map((other) => other.mark.box));
  const right = piece.mark.box;
  const shared = left.right - right.x;
  return left.height >= least && right.height >= least && shared <= SHARED_WIDTH * Math.min(left.width, right.width);
}

/** Return whether a piece and its next one were cut from one mark. */
function isCutAfter(parts, before) {
  return before >= 0 && before < parts.length - 1 && parts[before].group === parts[before + 1].group;
}

/** Return the cost of joining strokes `gap` heights apart. */
function joinCost(gap) {
  return 10 * Math.max(gap - 0.08, 0);
}

/**
 * Return the cost of a digit of this height in picture pixels: few are so low.
 * @param {number} height
 */
export function lowCost(height) {
  return 0.3 * Math.max(13 - height, 0);
}

function widthCost(width) {
  return 3 * Math.max(width - 1.2, 0);
}

/** Return the cost of joining all marks, by the gaps between them. */
function wholeCost(parts) {
  const whole = around(parts.map((part) => part.mark.box));
  // Between the height of the whole and of its parts: in heights of the whole, the lines of a page seem close.
  const height = Math.sqrt(whole.height * Math.max(...parts.map((part) => part.mark.box.height)));
  const reached = [parts[0]];
  const rest = parts.slice(1);
  let cost = 0;
  while (rest.length) {
    const gaps = rest.map((part) => Math.min(...reached.map((other) => markDistance(part.mark, other.mark))));
    const nearest = argmin(gaps);
    cost += WHOLE_COST * joinCost(gaps[nearest] / height);
    reached.push(...rest.splice(nearest, 1));
  }
  const heights = groupBoxes(parts).map((box) => box.height);
  const least = FULL_HEIGHT * Math.max(...heights);
  const digits = heights.filter((high) => high >= least).length;
  return cost + SIDE_BY_SIDE * (digits - 1) + widthCost(whole.width / whole.height);
}

function groupBoxes(parts) {
  const groups = [...new Set(parts.map((part) => part.group))];
  return groups.map((group) => around(parts.filter((part) => part.group === group).map((part) => part.mark.box)));
}
