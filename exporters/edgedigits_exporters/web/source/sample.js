/** Pictures to try: notes that are hard to read, drawn here so that nothing is downloaded. */

import { writeText } from "./handwriting.js";
import { paintStroke } from "./ink.js";

const [WIDTH, HEIGHT] = [900, 720];

/**
 * A note: its lines of words, the height of the digits, pen and tilt, the colours of paper, rules and ink, and the light
 * from its brightest place to its darkest.
 *
 * @typedef {{name: string, lines: string[], height: number, pen: number, tilt: number, paper: string, rules: string | null,
 *   ink: string, light: [string, string]}} Note
 */

const SQUARED = {
  name: "Squared paper in lamplight", lines: ["1969", "07 20", "384 ☆"], height: 118, pen: 11, tilt: -0.025,
  paper: "#f4f0e6", rules: "#c3d3e2", ink: "#1d3b8b", light: ["rgba(255, 244, 214, 0.25)", "rgba(38, 30, 60, 0.42)"],
};

/** @type {Note[]} */
export const NOTES = [
  SQUARED,
  { ...SQUARED, name: "Chalk on a board", lines: ["2718", "28 18"], height: 130, pen: 12, tilt: 0.04, paper: "#22332c",
    rules: null, ink: "#e8e6da", light: ["rgba(255, 255, 255, 0.10)", "rgba(0, 0, 0, 0.35)"] },
  { ...SQUARED, name: "Faint pencil", lines: ["3141", "59 26"], height: 96, pen: 4, tilt: -0.06, paper: "#e9e6df",
    rules: "#d8d8d8", ink: "#8b8b90", light: ["rgba(255, 255, 255, 0.15)", "rgba(30, 30, 40, 0.30)"] },
  { ...SQUARED, name: "Small and far away", lines: ["4096", "65 536"], height: 34, pen: 4, tilt: 0.02, paper: "#fbf7ee",
    rules: null, ink: "#333", light: ["rgba(255, 240, 200, 0.10)", "rgba(20, 20, 50, 0.55)"] },
];

/**
 * Draw a note.
 *
 * @param {Note} note
 * @returns {HTMLCanvasElement}  900 x 720.
 */
export function noteCanvas(note) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d");
  paintPaper(context, note);
  note.lines.forEach((line, row) => writeLine(context, note, line, row));
  paintLight(context, note.light);
  return canvas;
}

/** @returns {Promise<Blob>}  A note as PNG. */
export function notePicture(note) {
  return new Promise((resolve) => noteCanvas(note).toBlob(resolve, "image/png"));
}

function paintPaper(context, { paper, rules }) {
  context.fillStyle = paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  if (!rules) {
    return;
  }
  context.strokeStyle = rules;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let at = 20; at < WIDTH; at += 45) {
    context.moveTo(at, 0);
    context.lineTo(at + 6, HEIGHT);
    context.moveTo(0, at);
    context.lineTo(WIDTH, at - 8);
  }
  context.stroke();
}

function writeLine(context, { height, pen, tilt, ink }, line, row) {
  context.strokeStyle = ink;
  line.split(" ").forEach((word, k) => {
    const characters = writeText(word);
    // Place and height of the word on the pad.
    const points = characters.flat(2);
    const [left, top] = ["x", "y"].map((axis) => Math.min(...points.map((point) => point[axis])));
    const size = height / (Math.max(...points.map((point) => point.y)) - top);
    context.save();
    context.translate(230 + 25 * row + 2.3 * height * k, 100 + 87 * row + height * row);
    context.rotate(tilt - 0.01 * row);
    for (const stroke of characters.flat()) {
      const moved = stroke.map((point) => ({ x: point.x - left, y: point.y - top, width: 1 }));
      paintStroke(context, moved, size, pen / size);
    }
    context.restore();
  });
}

function paintLight(context, [bright, dark]) {
  const light = context.createRadialGradient(0.3 * WIDTH, 0.2 * HEIGHT, 60, 0.4 * WIDTH, 0.4 * HEIGHT, 0.9 * WIDTH);
  light.addColorStop(0, bright);
  light.addColorStop(1, dark);
  context.fillStyle = light;
  context.fillRect(0, 0, WIDTH, HEIGHT);
}
