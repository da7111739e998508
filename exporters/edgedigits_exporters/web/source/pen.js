/** The pen's width: chosen, or fitting to the size of what is written, as people choose pens. */

/** Widths by name, as shares of the pad's width; null follows the writing. */
export const PENS = { auto: null, fine: 0.008, medium: 0.017, broad: 0.03 };

/** Widest and thinnest pen that follows the writing. */
const BROADEST = 0.03;
const FINEST = 0.003;

/** Share of the height of a digit, as of a felt pen. */
const SHARE_OF_HEIGHT = 0.11;

/** Strokes nearer than this share of the larger one's longer side are of one digit. */
const REACH = 0.1;

/** Smaller marks, as shares of the tallest one, are points and dashes beside the digits. */
const LEAST_DIGIT = 0.4;

/** Return the width of the pen that fits strokes, as a share of the pad's width. */
export function fittingPen(strokes) {
  return Math.min(Math.max(SHARE_OF_HEIGHT * digitHeight(strokes), FINEST), BROADEST);
}

/**
 * Return the height of the smaller digits of a drawing, in pad widths.
 *
 * @param {import("./ink.js").Stroke[]} strokes
 */
export function digitHeight(strokes) {
  const heights = marksOf(strokes).map((mark) => mark.bottom - mark.top);
  const digits = heights.filter((height) => height >= LEAST_DIGIT * Math.max(...heights)).sort((a, b) => a - b);
  return digits[Math.floor(digits.length / 4)] ?? 0;
}

/** Return the box around points, in pad widths. */
export function boundsOf(points) {
  const [xs, ys] = ["x", "y"].map((axis) => points.map((point) => point[axis]));
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** Boxes around strokes that are together. */
function marksOf(strokes) {
  const marks = [];
  for (const stroke of strokes) {
    let mark = boundsOf(stroke);
    for (let k = marks.length - 1; k >= 0; k -= 1) {
      if (together(mark, marks[k])) {
        mark = joined(mark, marks.splice(k, 1)[0]);
        // The larger box may reach marks that were passed.
        k = marks.length;
      }
    }
    marks.push(mark);
  }
  return marks;
}

function together(one, other) {
  const reach = REACH * Math.max(...[one, other].flatMap((box) => [box.right - box.left, box.bottom - box.top]));
  return one.left - reach < other.right && other.left - reach < one.right
    && one.top - reach < other.bottom && other.top - reach < one.bottom;
}

function joined(one, other) {
  return {
    left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
    top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
  };
}
