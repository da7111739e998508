/**
 * Envelope: the ground of a photo, which follows the edges of shadows, pages and tables.
 *
 * A morphological closing (Serra 1982) takes away all that is dark and narrower than its window, so the window has to
 * be wider than the strokes and narrower than shadows. The smallest window that holds whole strokes is taken.
 */
import { levelAt, rint } from "./numbers.js";
import { countNonzero, histogramOf, inverted, larger, makePlane, subtracted } from "./planes.js";

// Windows, the smallest first, as parts of the picture's longest side, of a strip's doubled shorter one.
const WINDOWS = [1 / 24, 1 / 12, 1 / 6, 1 / 3, 2 / 3];
const SMALL_WINDOW = 1 / 12;
const LARGE_WINDOW = 1 / 3;

// A window holds strokes safely when it is this many times as wide as they are: junctions are wider.
const STROKES_IN_WINDOW = 2;

// The broadest stroke, as a part of the picture's longest side.
const MOST_STROKE = 0.2;

// Strokes are complete in a window when the ink that the next larger one finds weighs at most this many times as much.
const COMPLETE = 1.5;

// The closings of pictures that are still in use, by window: several questions ask for the same ones.
const CLOSINGS = new WeakMap();

/**
 * Return the ground under dark ink, and the window, in pixels, that it was found with.
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
    // No pen writes so broadly: a shadow, or a thing.
    ({ window, ground } = closedBy(grey, SMALL_WINDOW));
  }
  // Noise lifts an envelope above the ground's middle.
  const lift = medianLift(ground, grey);
  const lowered = makePlane(ground.width, ground.height);
  for (let k = 0; k < lowered.data.length; k++) lowered.data[k] = larger(ground.data[k] - lift, 0);
  return { level: eroded(lowered, 3), window };
}

/** Return the median of how far a closing lies above its picture, rounded: nowhere is it below. */
function medianLift(ground, grey) {
  const counts = histogramOf(subtracted(ground, grey));
  const count = grey.data.length;
  const upper = levelAt(counts, count >> 1);
  return rint(count % 2 ? upper : (levelAt(counts, (count >> 1) - 1) + upper) / 2);
}

/**
 * Say whether there is dark ink, all of it in strokes narrower than a small window.
 * @param {import("./planes.js").Plane} grey
 */
export function isThin(grey) {
  const small = countNonzero(strong(inkWithin(grey, SMALL_WINDOW)));
  const large = countNonzero(strong(inkWithin(grey, LARGE_WINDOW)));
  return 0 < large && large <= 2 * small;
}

/**
 * Return the dark ink that is narrower than a window of this part of the picture.
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
 * Close dark gaps narrower than `window` pixels; beyond the edge the picture goes on as it is.
 * @param {import("./planes.js").Plane} grey
 * @param {number} window an odd number
 */
export function closed(grey, window) {
  const half = window >> 1;
  // The erosion looks beyond the edge at what the dilation leaves there, and that as far again.
  const dilated = widestAcross(widestDown(grey, half, 2 * half), half, 2 * half);
  return inverted(widestAcross(widestDown(inverted(dilated), half, 0), half, 0));
}

/** Return the darkest pixel of each window x window, an odd number. */
function eroded(grey, window) {
  const half = window >> 1;
  return inverted(widestAcross(widestDown(inverted(grey), half, half), half, half));
}

/**
 * Return the lightest of the pixels up to `half` above and below each one.
 *
 * The picture first goes on for `beyond` rows on either side; only rows with all their neighbours are returned. A
 * window is the end of one block of its size and the beginning of the next, of which both maxima are known (van
 * Herk 1992).
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
 * Return the contrast of full strokes: a mean in which faint noise hardly counts.
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
 * Return the third moment of a picture: ink lies far from the ground, noise near it.
 * @param {import("./planes.js").Plane} ink
 */
export function inkWeight(ink) {
  const histogram = histogramOf(ink);
  let moment = 0;
  for (let level = 0; level < 256; level++) moment += histogram[level] * level ** 3;
  return moment;
}

/**
 * Return the mask of what reaches half of the full contrast.
 * @param {import("./planes.js").Plane} ink
 */
export function strong(ink) {
  const least = Math.max(contrast(histogramOf(ink)) / 2, 1);
  const mask = makePlane(ink.width, ink.height);
  for (let k = 0; k < mask.data.length; k++) mask.data[k] = ink.data[k] >= least ? 1 : 0;
  return mask;
}

/**
 * Return the mean width of a mask's strokes in pixels: twice its area over the length of its outline.
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
