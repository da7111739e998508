/**
 * Drawn handwriting, for typed digits and the examples.
 *
 * The shapes are from runtime/edgedigits_runtime/synthetic/digit_styles.py: strokes through "x,y" points in hundredths of
 * the digit's height, x to the right, y down, and a bar at a sharp turn.
 */

import { PAD_RATIO } from "./ink.js";

/** A non-digit, to show that it is rejected. */
export const STAR = "☆";

const HANDS = {
  0: [["47,6 35,2 18,9 6,28 2,52 7,76 20,93 36,98 52,92 65,74 69,50 64,26 52,9 39,3"],
    ["45,12 33,3 19,8 8,27 4,52 8,77 19,94 32,98 45,91 54,72 57,49 52,23 41,7 29,4 21,10"]],
  1: [["28,0 27,50 26,100"], ["25,0 29,30 28,60 22,100"]],
  2: [["9,17 26,2 45,10 46,33 28,65 5,93 | 18,87 37,95 60,90"], ["7,23 17,6 36,2 51,15 48,37 28,68 4,97 | 30,96 60,95"]],
  3: [["7,15 22,2 42,6 48,24 38,40 21,46 | 41,50 53,67 47,88 27,98 4,90"],
    ["6,17 20,3 40,5 46,22 35,41 21,47 23,42 37,46 51,62 46,87 26,98 5,88"]],
  4: [["13,3 9,28 5,53 | 30,55 60,52", "46,6 44,50 41,100"], ["10,5 6,28 10,46 25,50 42,42 48,30", "50,2 48,40 43,100"]],
  5: [["15,4 12,23 9,43 | 27,37 45,46 51,66 42,89 22,99 3,91", "15,4 34,4 56,2"],
    ["55,3 36,5 17,5 | 14,24 10,43 | 29,38 47,50 50,72 36,94 17,98 1,88"]],
  6: [["40,0 22,25 8,58 10,86 27,99 46,89 49,69 34,56 17,64 9,80"],
    ["47,5 33,2 16,20 6,52 9,82 25,98 45,90 52,70 39,53 20,58 8,74"]],
  7: [["3,7 28,6 55,4 | 41,42 25,100"], ["4,6 30,6 57,4 | 42,42 24,100", "15,53 34,51 54,49"]],
  8: [["47,12 29,1 11,11 14,31 32,47 48,65 47,87 27,99 8,88 8,68 24,49 43,31 49,15 40,5"],
    ["52,6 34,1 16,12 17,33 31,49 39,69 33,91 17,98 4,86 8,68 25,48 43,28 53,7"]],
  9: [["47,14 33,2 14,10 5,30 15,46 33,42 48,16 | 46,55 43,100"],
    ["49,16 34,2 14,8 6,28 17,46 36,42 50,16 | 51,50 47,80 32,98 9,92"]],
  [STAR]: [["20,97 | 51,3 | 80,97 | 3,37 | 97,38 | 20,97"]],
};

/** Shares of the height of a character, of the pad's width, and of it again. */
const LETTER_GAP = 0.24;
const PAD_MARGIN = 0.08;
const TALLEST_WRITING = 0.5;

const STEPS = 10;

/**
 * Write a text across the middle of the pad.
 *
 * @param {string} text  Digits, or STAR.
 * @returns {import("./ink.js").Stroke[][]}  The strokes of each character.
 */
export function writeText(text) {
  const characters = [...text].map(handOf);
  const length = characters.reduce((sum, each) => sum + each.width, LETTER_GAP * (characters.length - 1));
  const height = Math.min(TALLEST_WRITING, (1 - 2 * PAD_MARGIN) / length);
  let x = (1 - length * height) / 2;
  return characters.map(({ strokes, width }, k) => {
    const left = x;
    // Vary baseline and slant, as in real handwriting.
    const top = (1 / PAD_RATIO - height) / 2 + 0.035 * height * Math.sin(2.4 * k);
    const lean = 0.05 + 0.05 * Math.sin(1.7 * k + 1);
    x += (width + LETTER_GAP) * height;
    return strokes.map((stroke) => stroke.map((point) => (
      { x: left + (point.x + lean * (0.5 - point.y)) * height, y: top + point.y * height, width: 1 }
    )));
  });
}

/** The strokes of a character in units of its height, from x = 0; every second character has the other shape. */
function handOf(character, position) {
  const hands = HANDS[character];
  const strokes = hands[position % hands.length].map(strokeThrough);
  const xs = strokes.flat().map((point) => point.x);
  const least = Math.min(...xs);
  const moved = strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x - least, y })));
  return { strokes: moved, width: Math.max(...xs) - least };
}

/** Points along the curve through a stroke's points, with corners at the bars. */
function strokeThrough(written) {
  const pieces = written.split("|").map((piece) => piece.trim().split(" ").map((pair) => {
    const [x, y] = pair.split(",").map(Number);
    return { x: x / 100, y: y / 100 };
  }));
  return pieces.flatMap((piece, k) => curveThrough(k ? [pieces[k - 1].at(-1), ...piece] : piece));
}

/** Uniform Catmull-Rom spline: the points are about evenly spaced. */
function curveThrough(points) {
  const curve = [points[0]];
  for (let k = 0; k + 1 < points.length; k += 1) {
    const [a, b, c, d] = [points[k - 1] ?? points[k], points[k], points[k + 1], points[k + 2] ?? points[k + 1]];
    for (let step = 1; step <= STEPS; step += 1) {
      const t = step / STEPS;
      const along = (axis) => 0.5 * (2 * b[axis] + (c[axis] - a[axis]) * t
        + (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t ** 2
        + (3 * (b[axis] - c[axis]) + d[axis] - a[axis]) * t ** 3);
      curve.push({ x: along("x"), y: along("y") });
    }
  }
  return curve;
}
