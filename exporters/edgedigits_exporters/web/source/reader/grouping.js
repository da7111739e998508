/**
 * Grouping: join strokes that certainly belong to one digit into one mark.
 *
 * Only cases that geometry alone decides: the bar of a 5, dots of a dotted line, a fragment in a gap. Strokes that may
 * be one digit or two, such as those of an open 4 and an L beside a 1, are left to the network, see segments.js.
 */
import { joined } from "./components.js";
import { markDistance, maskStrokeWidth, union } from "./marks.js";
import { argsort, median } from "./numbers.js";

// All lengths are shares of the reference height, the median height of the ink.

// A lower mark is a part of a digit, not a digit.
const PART_HEIGHT = 0.45;

// A part this near to a digit belongs to it, such as a bar or a fragment; a minus or a point is farther away.
const PART_GAP = 0.1;

// The bar of a 5 may be a little farther away, above the middle of its digit.
const BAR_GAP = 0.22;
const BAR_MIDDLE = 0.3;

// Share of the smaller mark's box within the larger one's for marks that belong together.
const INSIDE = 0.6;

// Boxes of slanted 1s overlap too, so a mark of nearly the same height must be within the other's box.
const AS_HIGH = 0.75;
const SURELY_INSIDE = 0.9;

// Of marks above each other: share of the narrower one's width in common, and maximum height together.
const STACKED = 0.5;
const TALLEST = 1.35;

// A full page of digits has about five thousand near pairs; with more than this it is a texture, and nothing is joined.
const MOST_PAIRS = 20_000;

// Maximum length of a dot in widths of its stroke, share of dots, their minimum count, height of a digit in dots.
const DOT_SIZE = 3;
const DOTS = 0.8;
const FEWEST_DOTS = 6;
const DOTTED_HEIGHT = 4;

/**
 * Return the height in pixels that half of the ink exceeds, by the area of its marks.
 * @param {import("./marks.js").Mark[]} marks not empty
 */
export function referenceHeight(marks) {
  const order = argsort(marks.map((mark) => mark.box.height));
  const half = marks.reduce((sum, mark) => sum + mark.area, 0) / 2;
  let weight = 0;
  const found = order.find((k) => (weight += marks[k].area) >= half);
  return marks[found ?? order[order.length - 1]].box.height;
}

/**
 * Join the parts of one digit.
 * @param {import("./marks.js").Mark[]} marks in any order
 * @returns {import("./marks.js").Mark[]}
 */
export function grouped(marks) {
  if (marks.length < 2) return marks;
  const lines = dotsJoined(marks);
  const height = referenceHeight(lines);
  const near = nearPairs(lines, BAR_GAP * height + 2);
  if (near.length > MOST_PAIRS) return lines;
  const pairs = near.filter(([one, other]) => belongTogether(lines[one], lines[other], height));
  return pairs.length ? unions(lines, pairs) : lines;
}

/** Return the marks with all pairs joined. */
function unions(marks, pairs) {
  const roots = joined(marks.length, pairs);
  const groups = new Map();
  roots.forEach((root, k) => groups.set(root, [...(groups.get(root) ?? []), marks[k]]));
  return [...groups.values()].map(union);
}

/** Join dots to the lines that they form, if nearly all marks are dots. */
function dotsJoined(marks) {
  if (marks.length < FEWEST_DOTS) return marks;
  const sizes = marks.map(({ box }) => Math.max(box.width, box.height));
  const dots = marks.filter((mark, k) => sizes[k] <= DOT_SIZE * maskStrokeWidth(mark.mask));
  if (dots.length / marks.length < DOTS) return marks;
  const size = median(sizes);
  const lines = unions(marks, nearPairs(marks, size));
  return referenceHeight(lines) >= DOTTED_HEIGHT * size ? lines : marks;
}

/** Return the pairs of marks whose boxes are near enough to be examined. */
function nearPairs(marks, reach) {
  const pairs = [];
  marks.forEach(({ box: a }, one) => {
    for (let other = one + 1; other < marks.length; other++) {
      const b = marks[other].box;
      const across = Math.max(a.x, b.x) - Math.min(a.right, b.right);
      const down = Math.max(a.y, b.y) - Math.min(a.bottom, b.bottom);
      if (across <= reach && down <= reach) pairs.push([one, other]);
    }
  });
  return pairs;
}

function belongTogether(one, other, height) {
  const [small, large] = other.area < one.area ? [other, one] : [one, other];
  const [s, b] = [small.box, large.box];
  const sharedX = Math.min(s.right, b.right) - Math.max(s.x, b.x);
  const sharedY = Math.min(s.bottom, b.bottom) - Math.max(s.y, b.y);
  const inside = (Math.max(sharedX, 0) * Math.max(sharedY, 0)) / (s.width * s.height);
  if (inside >= (s.height < AS_HIGH * b.height ? INSIDE : SURELY_INSIDE)) return true;
  const together = Math.max(s.bottom, b.bottom) - Math.min(s.y, b.y);
  const highest = Math.max(height, b.height);
  if (together > TALLEST * highest || Math.min(s.height, b.height) > PART_HEIGHT * highest) return false;
  const gap = markDistance(small, large);
  if (gap <= Math.max(PART_GAP * height, 2)) return true;
  if (gap > BAR_GAP * height + 1) return false;
  const stacked = sharedX >= STACKED * Math.min(s.width, b.width);
  return stacked || (s.middle[1] <= b.y + BAR_MIDDLE * b.height && s.width > s.height);
}
