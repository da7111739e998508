/**
 * Hypotheses: which runs of neighbouring pieces may be one digit, and how unlikely each is by its geometry.
 *
 * Costs are negative log-likelihoods up to a constant, to be weighed against the network's confidence, see
 * segments.js. They were set on pages that the project draws and on MNIST's broken digits, of which none may fall
 * apart.
 */
import { around, boxGap, markDistance } from "./marks.js";
import { argmin } from "./numbers.js";

// So many neighbouring pieces are tried as one digit; farther apart or wider than so many heights, they are not.
const MOST_JOINED = 4;
const JOIN_GAP = 0.35;
const WIDEST = 1.7;

// What is cut from touching digits is no wider than a digit. Half of what each cut costs.
const WIDEST_CUT = 1.2;
const CUT = 0.2;

// What it costs to take two marks for one digit that stand side by side, or in two lines, and are as high as digits.
const SIDE_BY_SIDE = 2;
const FULL_HEIGHT = 0.75;
const SHARED_WIDTH = 0.25;

// Of a picture with no more marks than this, all of them may be one digit.
const WHOLE_MARKS = 6;

// In a picture of so few marks one digit is likelier than on a line of many.
const WHOLE_COST = 0.7;

/**
 * A mark, or a part of a mark cut apart: in search pixels, of which mark and on which line it stands, and that line's
 * height.
 * @typedef {{mark: import("./marks.js").Mark, group: number, line: number, height: number}} Piece
 *
 * Neighbouring pieces, from the first to the last, that may be one digit; how unlikely that is by their geometry, and
 * whether it was cut from a mark.
 * @typedef {{first: number, last: number, cost: number, cut: boolean}} Hypothesis
 */

/**
 * Return the runs of pieces that may be one digit.
 * @param {Piece[]} parts
 * @param {boolean} whole whether all of them may be one
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
    // A part cut from one mark is no part of the next.
    if (cuts && last > first && (groups || width > WIDEST_CUT)) continue;
    const costOfWidth = groups ? widthCost(width) : 0;
    runs.push({ first, last, cost: cost + CUT * cuts + costOfWidth, cut: cuts > 0 });
  }
  return runs;
}

/** Return how far a piece stands from those before it, in heights of the line; more than JOIN_GAP is not exact. */
function heightsApart(before, piece) {
  const near = before.filter((other) => boxGap(other.mark.box, piece.mark.box) <= JOIN_GAP * piece.height);
  return Math.min(...near.map((other) => markDistance(other.mark, piece.mark))) / piece.height;
}

/** Say whether a piece and those before it stand beside each other, both as high as digits of their line are. */
function standSideBySide(before, piece) {
  const least = FULL_HEIGHT * piece.height;
  const left = around(before.map((other) => other.mark.box));
  const right = piece.mark.box;
  const shared = left.right - right.x;
  return left.height >= least && right.height >= least && shared <= SHARED_WIDTH * Math.min(left.width, right.width);
}

/** Say whether a piece and its next one were cut from one mark. */
function isCutAfter(parts, before) {
  return before >= 0 && before < parts.length - 1 && parts[before].group === parts[before + 1].group;
}

/** Return what it costs to take strokes for one digit that stand `gap` heights apart. */
function joinCost(gap) {
  return 10 * Math.max(gap - 0.08, 0);
}

/**
 * Return what it costs to take something so many picture pixels high for a digit: hardly any are so low.
 * @param {number} height
 */
export function lowCost(height) {
  return 0.3 * Math.max(13 - height, 0);
}

function widthCost(width) {
  return 3 * Math.max(width - 1.2, 0);
}

/** Return what it costs to take everything for one digit: by the gaps that part its marks. */
function wholeCost(parts) {
  const whole = around(parts.map((part) => part.mark.box));
  // Between the height of the whole and that of its parts: in heights of the whole, lines of a page stand close.
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
