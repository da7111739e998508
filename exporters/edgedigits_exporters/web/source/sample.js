/** The sample: a note on squared paper in lamplight, drawn here so that nothing is downloaded. */

import { writeText } from "./handwriting.js";
import { paintStroke } from "./ink.js";

const SAMPLE = { width: 900, height: 720, lines: ["1969", "07 20", "384 ☆"] };

/**
 * Draw the sample.
 *
 * @returns {Promise<Blob>}  PNG, 900 x 720.
 */
export function samplePicture() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SAMPLE.width, SAMPLE.height];
  const context = canvas.getContext("2d");
  paintPaper(context);
  SAMPLE.lines.forEach((line, k) => writeLine(context, line, k));
  paintLight(context);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function paintPaper(context) {
  const { width, height } = SAMPLE;
  context.fillStyle = "#f4f0e6";
  context.fillRect(0, 0, width, height);
  context.strokeStyle = "#c3d3e2";
  context.lineWidth = 1.5;
  context.beginPath();
  for (let at = 20; at < width; at += 45) {
    context.moveTo(at, 0);
    context.lineTo(at + 6, height);
    context.moveTo(0, at);
    context.lineTo(width, at - 8);
  }
  context.stroke();
}

function writeLine(context, line, row) {
  const words = line.split(" ");
  context.strokeStyle = "#1d3b8b";
  words.forEach((word, k) => {
    const characters = writeText(word);
    // Place and height of the word on the pad.
    const points = characters.flat(2);
    const [left, top] = ["x", "y"].map((axis) => Math.min(...points.map((point) => point[axis])));
    const height = Math.max(...points.map((point) => point.y)) - top;
    const size = 118 / height;
    context.save();
    context.translate(230 + 25 * row + 270 * k, 100 + 205 * row);
    context.rotate(-0.025 - 0.01 * row);
    for (const stroke of characters.flat()) {
      const moved = stroke.map((point) => ({ x: point.x - left, y: point.y - top, width: 1 }));
      paintStroke(context, moved, size, 11 / size);
    }
    context.restore();
  });
}

function paintLight(context) {
  const { width, height } = SAMPLE;
  const light = context.createRadialGradient(0.3 * width, 0.2 * height, 60, 0.4 * width, 0.4 * height, 0.9 * width);
  light.addColorStop(0, "rgba(255, 244, 214, 0.25)");
  light.addColorStop(1, "rgba(38, 30, 60, 0.42)");
  context.fillStyle = light;
  context.fillRect(0, 0, width, height);
}
