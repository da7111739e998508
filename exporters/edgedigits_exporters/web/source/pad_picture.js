/** The picture of a drawing that is read: its ink, enlarged as far as small digits need, with a fitting pen. */

import { PAD_RATIO, paintStroke } from "./ink.js";
import { boundsOf, digitHeight, fittingPen } from "./pen.js";

/** Width of the picture in pixels; wider if digits would be smaller than this height. */
const WIDTH = 400;
const WIDEST = 1000;
const LEAST_HEIGHT = 44;

/** Margin around the ink, as a share of the height of a digit, and the least part of the pad's width that is read. */
const MARGIN = 0.6;
const LEAST_PART = 0.25;

/** Largest share of the picture's width that is a digit's height. */
const TALLEST = 0.5;

/**
 * Draw strokes anew, black on white.
 *
 * @param {import("./ink.js").Stroke[]} strokes  At least one.
 * @returns {{picture: ImageData, inPad: (reading: object) => object}}  `inPad` moves the boxes of a reading of the
 *   picture to the pad; its size is 1 x 0.8.
 */
export function pictureOf(strokes) {
  const height = digitHeight(strokes);
  const bounds = boundsOf(strokes.flat());
  const margin = MARGIN * height;
  const [across, down] = [bounds.right - bounds.left + 2 * margin, bounds.bottom - bounds.top + 2 * margin];
  const part = Math.max(across, down * PAD_RATIO, height / TALLEST, LEAST_PART);
  const wanted = height ? (part / height) * LEAST_HEIGHT : 0;
  const width = Math.round(Math.min(Math.max(wanted, WIDTH), WIDEST));
  const left = (bounds.left + bounds.right - part) / 2;
  const top = (bounds.top + bounds.bottom - part / PAD_RATIO) / 2;
  const scale = width / part;
  return { picture: painted(strokes, { left, top, scale, width }), inPad: (reading) => moved(reading, { left, top, scale }) };
}

function painted(strokes, { left, top, scale, width }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, Math.round(width / PAD_RATIO)];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.strokeStyle = "#000";
  context.translate(-left * scale, -top * scale);
  const pen = fittingPen(strokes);
  for (const stroke of strokes) {
    paintStroke(context, stroke, scale, pen);
  }
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function moved(reading, { left, top, scale }) {
  const candidates = reading.candidates.map((candidate) => {
    const [x, y, width, height] = candidate.box.map((length) => length / scale);
    return { ...candidate, box: [x + left, y + top, width, height] };
  });
  return { ...reading, candidates, width: 1, height: 1 / PAD_RATIO };
}
