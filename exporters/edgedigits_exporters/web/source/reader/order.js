/** Order: lines of marks from top to bottom, each from left to right. */
import { argmin, argsort, median, total } from "./numbers.js";

// Steeper lines are columns of lines, not slanted lines: about 20 degrees.
const STEEPEST_LINE = 0.36;

// Marks are on one line if, without the slant, they share this part of the lower one's height.
const SHARED_HEIGHT = 0.4;

// Neighbours farther away than this many heights do not determine the slant.
const NEIGHBOURS = 6;

/**
 * Return the positions of boxes, line by line in reading order.
 * @param {import("./box.js").Box[]} boxes of marks about as high as digits
 * @returns {number[][]}
 */
export function linesOf(boxes) {
  if (!boxes.length) return [];
  const middles = boxes.map((box) => box.middle);
  const heights = boxes.map((box) => box.height);
  const slant = lineSlant(middles, heights);
  const level = middles.map(([x, y]) => y - slant * x);
  const highest = Math.max(...heights);
  const lines = [];
  for (const k of argsort(level)) {
    const line = lineOf(k, lines, level, heights, middles, level[k] - highest);
    if (line) line.push(k);
    else lines.push([k]);
  }
  for (const line of lines) line.sort((a, b) => middles[a][0] - middles[b][0] || a - b);
  const levels = lines.map((line) => total(line.map((k) => level[k])) / line.length);
  return argsort(levels).map((k) => lines[k]);
}

/** Return the line of mark k: the one whose nearest member shares most of its height. */
function lineOf(k, lines, level, heights, middles, reach) {
  let best = null;
  let most = SHARED_HEIGHT;
  for (const line of lines) {
    // Marks come from top to bottom, so no member of a line is lower than its last.
    if (level[line[line.length - 1]] < reach) continue;
    const near = line[argmin(line.map((other) => Math.abs(middles[other][0] - middles[k][0])))];
    const apart = Math.abs(level[k] - level[near]);
    const shared = ((heights[k] + heights[near]) / 2 - apart) / Math.min(heights[k], heights[near]);
    if (shared >= most) [best, most] = [line, shared];
  }
  return best;
}

/** Return the slope of the lines: the median slope from each mark to its nearest on the right. */
function lineSlant(middles, heights) {
  const steps = [];
  middles.forEach(([x, y], k) => {
    let [nearest, slope] = [Infinity, 0];
    for (const [otherX, otherY] of middles) {
      const [across, down] = [otherX - x, otherY - y];
      if (across <= 0.3 * heights[k] || across > NEIGHBOURS * heights[k]) continue;
      if (Math.abs(down) > Math.max(STEEPEST_LINE * across, 0)) continue;
      // The nearest in both directions: the next one across may be on another line of distant columns.
      const away = Math.sqrt(across * across + 4 * down * down);
      if (away < nearest) [nearest, slope] = [away, down / across];
    }
    if (nearest < Infinity) steps.push(slope);
  });
  return steps.length > 1 ? median(steps) : 0;
}
