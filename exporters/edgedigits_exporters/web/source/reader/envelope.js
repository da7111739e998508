/**
 * Envelope: the ground of a photo, which follows the edges of shadows, pages and tables.
 *
 * A morphological closing (Serra 1982) removes everything dark that is narrower than its window, so the window must be
 * wider than the strokes and narrower than shadows. The smallest window that contains whole strokes is used.
 */
import { histogramOf, levelAt } from "./levels.js";
import { rint } from "./numbers.js";
import { countNonzero, inverted, larger, makePlane, subtracted } from "./planes.js";

// Windows, smallest first, as shares of the longest side or, of a strip, of twice the shorter side.
const WINDOWS = [1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3];
const SMALL_WINDOW = 1 / 12;
const LARGE_WINDOW = 1 / 3;

// A window is large enough for strokes if it is this many times as wide: junctions are wider.
const STROKES_IN_WINDOW = 2;

// The widest stroke, as a share of the picture's longest side.
const MOST_STROKE = 0.2;

// Strokes are complete in a window if the ink of the next window weighs at most this many times as much.
const COMPLETE = 1.5;

// Closings by window, cached while their picture is in use, since several stages need the same ones.
const CLOSINGS = new WeakMap();

/**
 * Return the ground under dark ink, and its window in pixels.
 * @param {import("./planes.js").Plane} grey a reduced picture
 * @returns {{level: import("./planes.js").Plane, window: number}}
 */
export function envelope(grey) {
  let { window, ground } = closedBy(grey, WINDOWS[0]);
  for (const part of WINDOWS.slice(1)) {
    const ink = subtracted(ground, grey);
    const wider = closedBy(grey, part);
    const complete = inkWeight(subtracted(wider.ground, grey)) <= COMPLETE * inkWeight(ink);
    if (complete && window >= STROKES_IN_WINDOW * meanStrokeWidth(strong(ink))) break;
    ({ window, ground } = wider);
  }
  if (meanStrokeWidth(strong(subtracted(ground, grey))) > MOST_STROKE * Math.max(grey.width, grey.height)) {
    // Wider than any pen: a shadow or an object.
    ({ window, ground } = closedBy(grey, SMALL_WINDOW));
  }
  // Noise lifts an envelope above the ground's mean.
  const lift = medianLift(ground, grey);
  const lowered = makePlane(ground.width, ground.height);
  for (let k = 0; k < lowered.data.length; k++) lowered.data[k] = larger(ground.data[k] - lift, 0);
  return { level: eroded(lowered, 3), window };
}

/** Return the median distance of a closing above its picture, rounded. */
function medianLift(ground, grey) {
  const counts = histogramOf(subtracted(ground, grey));
  const count = grey.data.length;
  const upper = levelAt(counts, count >> 1);
  return rint(count % 2 ? upper : (levelAt(counts, (count >> 1) - 1) + upper) / 2);
}

/**
 * Return whether there is dark ink, all of it in strokes narrower than a small window.
 * @param {import("./planes.js").Plane} grey
 */
export function isThin(grey) {
  const small = countNonzero(strong(inkWithin(grey, SMALL_WINDOW)));
  const large = countNonzero(strong(inkWithin(grey, LARGE_WINDOW)));
  return 0 < large && large <= 2 * small;
}

/**
 * Return the dark ink that is narrower than a window, given as a share of the picture.
 * @param {import("./planes.js").Plane} grey
 * @param {number} part
 */
export function inkWithin(grey, part) {
  return subtracted(closedBy(grey, part).ground, grey);
}

function closedBy(grey, part) {
  const side = Math.min(Math.max(grey.width, grey.height), 2 * Math.min(grey.width, grey.height));
  const window = Math.max(3, Math.trunc(side * part) | 1);
  const known = CLOSINGS.get(grey) ?? new Map();
  CLOSINGS.set(grey, known);
  if (!known.has(window)) known.set(window, closed(grey, window));
  return { window, ground: known.get(window) };
}

/**
 * Close dark gaps narrower than `window` pixels; the edge is repeated.
 * @param {import("./planes.js").Plane} grey
 * @param {number} window an odd number
 */
export function closed(grey, window) {
  const half = window >> 1;
  // The erosion beyond the edge needs the dilation there, which needs as many pixels again.
  const dilated = widestAcross(widestDown(grey, half, 2 * half), half, 2 * half);
  return inverted(widestAcross(widestDown(inverted(dilated), half, 0), half, 0));
}

/** Return the minimum of each window x window pixels, an odd number. */
function eroded(grey, window) {
  const half = window >> 1;
  return inverted(widestAcross(widestDown(inverted(grey), half, half), half, half));
}

/**
 * Return the maximum of the pixels up to `half` above and below each pixel.
 *
 * The picture is first extended by `beyond` rows on either side; only rows with all their neighbours are returned. A
 * window is the end of one block of its size and the start of the next, and both maxima are known (van Herk 1992).
 */
function widestDown(grey, half, beyond) {
  const { width } = grey;
  const extended = extendedDown(grey, beyond);
  const window = 2 * half + 1;
  const [ends, starts] = [extended.data, extended.data.slice()];
  for (let row = 1; row < extended.height; row++) {
    if (row % window === 0) continue;
    for (let k = row * width, end = k + width; k < end; k++) starts[k] = larger(starts[k], starts[k - width]);
  }
  for (let row = extended.height - 2; row >= 0; row--) {
    if ((row + 1) % window === 0) continue;
    for (let k = row * width, end = k + width; k < end; k++) ends[k] = larger(ends[k], ends[k + width]);
  }
  const widest = makePlane(width, extended.height - window + 1);
  const ahead = (window - 1) * width;
  for (let k = 0; k < widest.data.length; k++) widest.data[k] = larger(ends[k], starts[k + ahead]);
  return widest;
}

function extendedDown(grey, by) {
  const { width, height, data } = grey;
  const result = makePlane(width, height + 2 * by);
  for (let y = 0; y < by; y++) {
    result.data.set(data.subarray(0, width), y * width);
    result.data.set(data.subarray((height - 1) * width), (by + height + y) * width);
  }
  result.data.set(data, by * width);
  return result;
}

/** Return the same as widestDown, along the rows. */
function widestAcross(grey, half, beyond) {
  const { width, height, data } = grey;
  const window = 2 * half + 1;
  const length = width + 2 * beyond;
  const [ends, starts] = [new Uint8Array(length), new Uint8Array(length)];
  const widest = makePlane(length - window + 1, height);
  for (let y = 0, to = 0; y < height; y++) {
    starts.fill(data[y * width], 0, beyond);
    starts.set(data.subarray(y * width, (y + 1) * width), beyond);
    starts.fill(data[(y + 1) * width - 1], beyond + width);
    ends.set(starts);
    for (let block = 0; block < length; block += window) {
      const last = Math.min(block + window, length) - 1;
      for (let k = block, most = 0; k <= last; k++) starts[k] = most = larger(most, starts[k]);
      for (let k = last, most = 0; k >= block; k--) ends[k] = most = larger(most, ends[k]);
    }
    for (let k = 0, ahead = window - 1; ahead < length; k++, ahead++, to++) {
      widest.data[to] = larger(ends[k], starts[ahead]);
    }
  }
  return widest;
}

/**
 * Return the contrast of full strokes: a mean in which faint noise has little weight.
 * @param {ArrayLike<number>} histogram counts of the levels 0..255
 */
export function contrast(histogram) {
  let fourth = 0;
  let third = 0;
  for (let level = 0; level < 256; level++) {
    const cube = histogram[level] * level ** 3;
    third += cube;
    fourth += cube * level;
  }
  return fourth / Math.max(third, 1);
}

/**
 * Return the third moment of a picture: ink is far from the ground, noise near it.
 * @param {import("./planes.js").Plane} ink
 */
export function inkWeight(ink) {
  const histogram = histogramOf(ink);
  let moment = 0;
  for (let level = 0; level < 256; level++) moment += histogram[level] * level ** 3;
  return moment;
}

/**
 * Return the mask of pixels that reach half of the full contrast.
 * @param {import("./planes.js").Plane} ink
 */
export function strong(ink) {
  const least = Math.max(contrast(histogramOf(ink)) / 2, 1);
  const mask = makePlane(ink.width, ink.height);
  for (let k = 0; k < mask.data.length; k++) mask.data[k] = ink.data[k] >= least ? 1 : 0;
  return mask;
}

/**
 * Return the mean stroke width of a mask in pixels: twice its area divided by the length of its outline.
 * @param {import("./planes.js").Plane} mask
 */
export function meanStrokeWidth(mask) {
  const { width, height, data } = mask;
  let area = 0;
  let outline = 0;
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      if (!data[k]) continue;
      area++;
      const inner =
        (y === 0 || data[k - width]) &&
        (y === height - 1 || data[k + width]) &&
        (x === 0 || data[k - 1]) &&
        (x === width - 1 || data[k + 1]);
      if (!inner) outline++;
    }
  }
  return outline ? (2 * area) / outline : 0;
}
