/**
 * The plain surround of a picture, as in screen captures, scans and galleries.
 *
 * A narrow surround may have any colour. A wide one, such as the bars beside a photo on a phone's screen, has exactly
 * one colour, unlike camera pictures, around a picture whose edges vary, unlike drawings.
 */
import { medianLevel } from "./levels.js";
import { median } from "./numbers.js";

// A surround takes at most this share of a side, and pictures with a smaller side have none.
const MOST_OF_SIDE = 0.1;
const LEAST_SURROUNDED_SIDE = 64;

// A surround may be inside another: the title bar of a window in its outline.
const MOST_SURROUNDS = 3;

// A line of a surround has one colour in nearly all pixels; most of the line inside has another.
const SAME = 12;
const PLAIN = 0.85;
const ALIKE = 24;
const MOSTLY = 0.85;
const TRANSITION = 3;
const SAMPLES = 256;

// The colour around a photo is exact to one level. At least this share of each edge of the photo has another colour; a
// drawing's ink covers a tenth. And no colour covers most of an edge.
const EXACT = 1;
const BEYOND = 0.4;
const MOST_ALIKE = 0.75;

/**
 * Rows and columns, both with exclusive ends.
 * @typedef {{rows: [number, number], columns: [number, number]}} Part
 */

/**
 * Return the rows and columns inside the surround.
 * @param {import("./pixels.js").Pixels} picture
 * @returns {Part}
 */
export function insideSurround(picture) {
  const whole = { rows: [0, picture.height], columns: [0, picture.width] };
  if (Math.min(picture.width, picture.height) < LEAST_SURROUNDED_SIDE) return whole;
  let { rows, columns } = photoWithin(picture, whole);
  for (let k = 0; k < MOST_SURROUNDS; k++) {
    const depths = linesFromSides(picture, { rows, columns }).map(frameDepth);
    if (!depths.some((depth) => depth > 0)) break;
    rows = [rows[0] + depths[0], rows[1] - depths[1]];
    columns = [columns[0] + depths[2], columns[1] - depths[3]];
  }
  return { rows, columns };
}

/** Return the rows and columns of a photo on exactly one colour, else of the whole picture. */
function photoWithin(picture, whole) {
  const depths = linesFromSides(picture, whole).map(exactLines);
  const [top, bottom, left, right] = depths;
  const rows = [top, picture.height - bottom];
  const columns = [left, picture.width - right];
  if (Math.min(rows[1] - rows[0], columns[1] - columns[0]) < LEAST_SURROUNDED_SIDE) return whole;
  const { channels, data } = picture;
  const around = Array.from(top || left ? data.subarray(0, channels) : data.subarray(data.length - channels));
  const inner = linesFromSides(picture, { rows, columns });
  return inner.every((lines, side) => !depths[side] || isPhoto(lines, around)) ? { rows, columns } : whole;
}

/** Return the lines of a part of a picture from above, below, left and right, with the strides of pixel k of line n. */
function linesFromSides(picture, { rows, columns }) {
  const { width, channels, data } = picture;
  const [high, wide] = [rows[1] - rows[0], columns[1] - columns[0]];
  const at = (row, column) => (row * width + column) * channels;
  const down = width * channels;
  const first = at(rows[0], columns[0]);
  const common = { data, channels };
  return [
    { ...common, count: high, length: wide, start: first, next: down, along: channels },
    { ...common, count: high, length: wide, start: at(rows[1] - 1, columns[0]), next: -down, along: channels },
    { ...common, count: wide, length: high, start: first, next: channels, along: down },
    { ...common, count: wide, length: high, start: at(rows[0], columns[1] - 1), next: -channels, along: down },
  ];
}

/** Return the number of first lines of exactly one colour. */
function exactLines(lines) {
  const { data, channels, count, start } = lines;
  const colour = Array.from(data.subarray(start, start + channels));
  const isExact = (line) => shareOfColour(lines, line, colour, Math.ceil(lines.length / SAMPLES)) === 1;
  // For most pictures the first line decides.
  if (!isExact(0)) return 0;
  const step = Math.ceil(count / SAMPLES);
  let coarse = 0;
  while (coarse < count && isExact(coarse)) coarse += step;
  if (coarse >= count) return count;
  let line = Math.max(coarse - step, 0);
  while (isExact(line)) line++;
  return line;
}

/** Return whether the line just inside an edge is a photo's from end to end. */
function isPhoto(lines, around) {
  if (shareOfColour(lines, TRANSITION, around, 1) > 1 - BEYOND) return false;
  const usual = [];
  for (let channel = 0; channel < lines.channels; channel++) {
    const values = new Uint8Array(lines.length);
    const from = lines.start + TRANSITION * lines.next + channel;
    for (let k = 0; k < lines.length; k++) values[k] = lines.data[from + k * lines.along];
    usual.push(Math.trunc(median(values)));
  }
  return shareOfColour(lines, TRANSITION, usual, 1) <= MOST_ALIKE;
}

/** Return the share of a colour among every `step`-th pixel of a line. */
function shareOfColour(lines, line, colour, step) {
  const { data, channels } = lines;
  const from = lines.start + line * lines.next;
  let same = 0;
  let count = 0;
  for (let k = 0; k < lines.length; k += step, count++) {
    const pixel = from + k * lines.along;
    let channel = 0;
    while (channel < channels && Math.abs(data[pixel + channel] - colour[channel]) <= EXACT) channel++;
    if (channel === channels) same++;
  }
  return same / count;
}

/** Return the number of first lines that are surround. */
function frameDepth(lines) {
  const most = Math.trunc(MOST_OF_SIDE * lines.count);
  const known = [];
  const colours = (line) => (known[line] ??= lineColours(lines, line));
  let depth = 0;
  while (depth <= most && farthest(colours(depth), colours(0)) <= SAME) {
    if (shareWithin(lines, depth, colours(depth), SAME) < PLAIN) break;
    depth++;
  }
  if (depth === 0 || depth > most) return 0;
  const inside = depth + TRANSITION;
  if (farthest(colours(inside), colours(0)) <= 2 * SAME) return 0;
  if (shareWithin(lines, inside, colours(inside), ALIKE) < MOSTLY) return 0;
  while (farthest(colours(depth), colours(inside)) > SAME) depth++;
  return depth;
}

/** Return the median of each channel over samples of a line. */
function lineColours(lines, line) {
  const { data, channels, length, along } = lines;
  const step = Math.ceil(length / SAMPLES);
  const colours = [];
  for (let channel = 0; channel < channels; channel++) {
    const counts = new Int32Array(256);
    const from = lines.start + line * lines.next + channel;
    let count = 0;
    for (let k = 0; k < length; k += step, count++) counts[data[from + k * along]]++;
    colours.push(medianLevel(counts, count));
  }
  return colours;
}

function farthest(one, other) {
  return Math.max(...one.map((level, channel) => Math.abs(level - other[channel])));
}

/** Return the share of a line's samples within `most` levels of a colour. */
function shareWithin(lines, line, colour, most) {
  const { data, channels, length, along } = lines;
  const step = Math.ceil(length / SAMPLES);
  const from = lines.start + line * lines.next;
  let near = 0;
  let count = 0;
  for (let k = 0; k < length; k += step, count++) {
    let channel = 0;
    while (channel < channels && Math.abs(data[from + k * along + channel] - colour[channel]) <= most) channel++;
    if (channel === channels) near++;
  }
  return near / count;
}
