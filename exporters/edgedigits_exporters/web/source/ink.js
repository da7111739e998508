/**
 * Pen strokes, painted as smooth lines.
 *
 * A stroke is stored as points, so that it is sharp at any size of the pad and exported at one size.
 *
 * @typedef {{x: number, y: number, width: number}} InkPoint  In pad widths: x 0..1, y 0..1 / PAD_RATIO; `width` is a
 *   factor of the pen's.
 * @typedef {InkPoint[]} Stroke  From pen down to pen up, at least one point.
 */

/** Width of the pad divided by its height. */
export const PAD_RATIO = 1.25;

/** The factor changes in these steps, since a line of one width is one path without seams. */
const WIDTH_STEP = 1 / 12;

/**
 * Paint a stroke.
 *
 * @param {CanvasRenderingContext2D} context  Its strokeStyle is the ink's colour.
 * @param {Stroke} stroke
 * @param {number} scale  Pixels in a pad width.
 * @param {number} pen  Width of the pen, in pad widths.
 */
export function paintStroke(context, stroke, scale, pen) {
  context.lineCap = context.lineJoin = "round";
  let first = 0;
  for (let k = 1; k <= stroke.length; k += 1) {
    if (k === stroke.length || Math.abs(stroke[k].width - stroke[first].width) > WIDTH_STEP) {
      paintPart(context, stroke, scale, pen, first, k - 1);
      first = k;
    }
  }
}

/** Paint the points first..last as quadratic curves between segment midpoints, which have no corners. */
function paintPart(context, stroke, scale, pen, first, last) {
  const start = first ? halfway(stroke[first - 1], stroke[first]) : stroke[0];
  context.lineWidth = stroke[first].width * pen * scale;
  context.beginPath();
  context.moveTo(start.x * scale, start.y * scale);
  for (let k = first; k <= last; k += 1) {
    const end = k + 1 < stroke.length ? halfway(stroke[k], stroke[k + 1]) : stroke[k];
    context.quadraticCurveTo(stroke[k].x * scale, stroke[k].y * scale, end.x * scale, end.y * scale);
  }
  context.stroke();
}

function halfway(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}
