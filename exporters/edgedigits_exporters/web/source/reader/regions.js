/**
 * Regions: parts of a picture with their own ground and with writing of the opposite polarity.
 *
 * Examples are a dark header with light digits on a white page, a display in a photographed sheet, paper on a
 * blackboard. They are filled quadrilaterals of one tone with writing of the other, and the rest has writing too.
 */
import { findComponents } from "./components.js";
import { histogramOf, interpolated, medianLevel } from "./levels.js";
import { maskStrokeWidth } from "./marks.js";
import { rint } from "./numbers.js";
import { LEAST_FILLED, MOST_SHEETS, straightSides } from "./sheets.js";
import { Pixels } from "./pixels.js";
import { countNonzero, cropped, makePlane, padded } from "./planes.js";

// Minimum size of a region: as a share of the picture, and its sides in pixels of the reduced picture.
const LEAST_REGION = 0.005;
const LEAST_REGION_SIDE = 10;

// Minimum share of a tone in the picture. Tones with a smaller difference in grey levels are one tone.
const LEAST_TONE = 0.002;
const LEAST_DIFFERENCE = 64;

// Minimum share of the other tone in the rest: the inside of a drawn box has its own tone all around.
const LEAST_GROUND = 0.5;

// A mark of writing: its minimum height in pixels of the reduced picture, as a share of its region and of its width;
// its maximum stroke width as a share of its longer side and of the ground between marks. Smaller specks do not count,
// and a texture has more marks.
const LEAST_HEIGHT = 6;
const LEAST_PART = 0.1;
const FLATTEST_MARK = 0.5;
const BROADEST = 0.35;
const TO_GROUND = 0.6;
const SPECK = 3;
const MOST_REGION_MARKS = 200;

// Width of a region's blurred edge: in pixels of the reduced picture, and of the picture.
const REGION_EDGE = 1.5;
const REGION_BLUR = 2;
// Width of the rim around a region, in pixels, where the ground is measured.
const RIM = 3;

/** A part of a picture, in its pixels. */
export class Region {
  /**
   * @param {number} top first row
   * @param {Int32Array} first first column of each row
   * @param {Int32Array} last last column of each row
   */
  constructor(top, first, last) {
    this.top = top;
    this.first = first;
    this.last = last;
    this.left = first.reduce((least, column) => Math.min(least, column), Infinity);
    this.width = last.reduce((most, column) => Math.max(most, column), 0) + 1 - this.left;
    this.height = first.length;
  }

  /**
   * Call `visit` with start and end of each row in a picture of this width, and the start in the region's own box.
   * @param {number} width
   * @param {(start: number, end: number, own: number) => void} visit
   */
  eachRow(width, visit) {
    for (let row = 0; row < this.height; row++) {
      if (this.last[row] < this.first[row]) continue;
      const start = (this.top + row) * width;
      visit(start + this.first[row], start + this.last[row] + 1, row * this.width + this.first[row] - this.left);
    }
  }

  /** Return its mask in its box. */
  mask() {
    const mask = makePlane(this.width, this.height);
    this.eachRow(0, (start, end, own) => mask.data.fill(1, own, own + end - start));
    return mask;
  }

  /**
   * Return its box of a picture, with the edge of the region repeated beyond it.
   * @param {Pixels} picture
   * @returns {Pixels}
   */
  cut(picture) {
    const { channels } = picture;
    const cut = new Pixels(this.width, this.height, channels, new Uint8Array(this.width * this.height * channels));
    for (let row = 0, to = 0; row < this.height; row++) {
      for (let column = 0; column < this.width; column++) {
        const inside = Math.min(Math.max(this.left + column, this.first[row]), this.last[row]);
        const from = ((this.top + row) * picture.width + inside) * channels;
        for (let channel = 0; channel < channels; channel++) cut.data[to++] = picture.data[from + channel];
      }
    }
    return cut;
  }

  /**
   * Return it `by` pixels larger on every side, within a picture.
   * @param {number} by
   * @param {{width: number, height: number}} size
   * @returns {Region}
   */
  grown(by, { width, height }) {
    const top = Math.max(this.top - by, 0);
    const rows = Math.min(this.top + this.height + by, height) - top;
    const end = this.height - 1;
    const at = (row) => Math.min(Math.max(row, 0), end);
    const within = (column) => Math.min(Math.max(column, 0), width - 1);
    const first = new Int32Array(rows);
    const last = new Int32Array(rows);
    for (let k = 0; k < rows; k++) {
      const row = top + k - this.top;
      first[k] = within(Math.min(this.first[at(row - by)], this.first[at(row + by)]) - by);
      last[k] = within(Math.max(this.last[at(row - by)], this.last[at(row + by)]) + by);
    }
    return new Region(top, first, last);
  }

  /**
   * Return it `by` pixels smaller on every side; null if nothing is left.
   * @param {number} by
   * @returns {Region | null}
   */
  shrunk(by) {
    const rows = Math.max(this.height - 2 * by, 0);
    const first = new Int32Array(rows);
    const last = new Int32Array(rows);
    // For a convex shape: the intersection of itself moved up and moved down.
    for (let k = 0; k < rows; k++) {
      first[k] = Math.max(this.first[k], this.first[k + 2 * by]) + by;
      last[k] = Math.min(this.last[k], this.last[k + 2 * by]) - by;
    }
    const start = first.findIndex((column, k) => column <= last[k]);
    if (start < 0) return null;
    let end = rows;
    while (first[end - 1] > last[end - 1]) end--;
    return new Region(this.top + by + start, first.slice(start, end), last.slice(start, end));
  }
}

/**
 * Return a picture with each region replaced by the ground around it.
 * @param {Pixels} picture
 * @param {Region[]} regions
 * @returns {Pixels}
 */
export function withoutRegions(picture, regions) {
  const { width, height, channels } = picture;
  const rest = new Pixels(width, height, channels, picture.data.slice());
  for (const region of regions) {
    const colour = colourAround(picture, region);
    if (!colour) continue;
    region.eachRow(width, (start, end) => {
      for (let k = start * channels; k < end * channels; k += channels) rest.data.set(colour, k);
    });
  }
  return rest;
}

/** Return the median of each channel in the rim around a region; null if there is none. */
function colourAround(picture, region) {
  const rim = makePlane(picture.width, picture.height);
  const around = region.grown(RIM, picture);
  around.eachRow(picture.width, (start, end) => rim.data.fill(1, start, end));
  region.eachRow(picture.width, (start, end) => rim.data.fill(0, start, end));
  const counts = Array.from({ length: picture.channels }, () => new Int32Array(256));
  let count = 0;
  around.eachRow(picture.width, (start, end) => {
    for (let k = start; k < end; k++) {
      if (!rim.data[k]) continue;
      count++;
      counts.forEach((histogram, channel) => histogram[picture.data[k * picture.channels + channel]]++);
    }
  });
  return count ? counts.map((histogram) => Math.trunc(medianLevel(histogram, count))) : null;
}

/**
 * Return the regions of a picture; none if all writing has one polarity.
 * @param {import("./planes.js").Plane} small reduced picture of the darkest channels
 * @param {number} factor factor of the reduction
 * @param {{width: number, height: number}} size size of the picture, in whose pixels the regions are returned
 * @returns {Region[]}
 */
export function findRegions(small, factor, size) {
  const [threshold, difference] = twoTones(small);
  if (difference < LEAST_DIFFERENCE) return [];
  const dark = makePlane(small.width, small.height);
  const light = makePlane(small.width, small.height);
  for (let k = 0; k < dark.data.length; k++) {
    dark.data[k] = small.data[k] <= threshold ? 1 : 0;
    light.data[k] = 1 - dark.data[k];
  }
  for (const [tone, other] of [[dark, light], [light, dark]]) {
    const found = regionsOf(tone, other);
    if (found.length && isWrittenOn(tone, found)) return found.map((region) => enlargedRegion(region, factor, size));
  }
  return [];
}

/** Return the parts of a tone that are filled quadrilaterals with writing of the other tone. */
function regionsOf(tone, other) {
  const components = findComponents(tone);
  const { boxes, areas } = components;
  const large = [];
  for (let k = 0; k < components.count; k++) {
    const [top, left, bottom, right] = boxes.subarray(4 * k, 4 * k + 4);
    const [high, wide] = [bottom - top, right - left];
    if (areas[k] < LEAST_REGION * tone.data.length || Math.min(high, wide) < LEAST_REGION_SIDE) continue;
    // A component that reaches all four sides is the picture's ground.
    if (high < tone.height || wide < tone.width) large.push(k);
  }
  if (large.length > MOST_SHEETS) return [];
  return large.map((k) => regionOf(other, components, k)).filter((region) => region !== null);
}

/** Return a component as a region; null if it is not one. */
function regionOf(other, components, number) {
  const mask = components.mask(number);
  const sides = straightSides(mask);
  if (!sides) return null;
  const [top, left] = components.boxes.subarray(4 * number, 4 * number + 2);
  const region = new Region(top, sides.first.map((column) => left + column), sides.last.map((column) => left + column));
  if (countNonzero(mask) < LEAST_FILLED * countNonzero(region.mask())) return null;
  const written = cropped(other, region.left, region.top, region.width, region.height);
  return holdsMarks(written, LEAST_PART * mask.height) ? region : null;
}

/** Return whether the rest is of the other tone and contains marks of this one. */
function isWrittenOn(tone, regions) {
  const rest = makePlane(tone.width, tone.height, new Uint8Array(tone.data.length).fill(1));
  for (const region of regions) region.eachRow(tone.width, (start, end) => rest.data.fill(0, start, end));
  let [outside, ground] = [0, 0];
  for (let k = 0; k < rest.data.length; k++) {
    outside += rest.data[k];
    ground += rest.data[k] & (1 - tone.data[k]);
    rest.data[k] &= tone.data[k];
  }
  return ground >= LEAST_GROUND * outside && holdsMarks(rest, 0);
}

/**
 * Return whether most components of a mask away from its edge have the shape of strokes, without specks.
 *
 * `least` is the minimum height of a mark.
 */
function holdsMarks(mask, least) {
  // The first component is the added edge, with everything that touches it.
  const components = findComponents(padded(mask, 1, 1));
  const sizeOf = (k) => {
    const [top, left, bottom, right] = components.boxes.subarray(4 * k, 4 * k + 4);
    return [bottom - top, right - left];
  };
  const counted = [];
  for (let k = 1; k < components.count; k++) if (Math.max(...sizeOf(k)) >= SPECK) counted.push(k);
  if (!counted.length || counted.length > MOST_REGION_MARKS) return false;
  const ground = makePlane(mask.width, mask.height, mask.data.map((value) => 1 - value));
  const gap = TO_GROUND * maskStrokeWidth(ground);
  const marks = counted.filter((k) => {
    const [high, wide] = sizeOf(k);
    if (high < Math.max(least, LEAST_HEIGHT, FLATTEST_MARK * wide)) return false;
    return maskStrokeWidth(components.mask(k)) <= Math.min(BROADEST * Math.max(high, wide), gap);
  });
  return 2 * marks.length > counted.length;
}

/** Return a region of the reduced picture in pixels of the picture. */
function enlargedRegion(region, factor, { width, height }) {
  const rows = region.height;
  const top = region.top * factor;
  const count = Math.min((region.top + rows) * factor, height) - top;
  const places = Float64Array.from({ length: count }, (_, k) => (top + k + 0.5) / factor - 0.5 - region.top);
  const known = Array.from({ length: rows }, (_, k) => k);
  const first = interpolated(places, known, region.first.map((column) => column * factor));
  const last = interpolated(places, known, region.last.map((column) => (column + 1) * factor - 1));
  // Int32Array rounds columns down.
  return new Region(top, Int32Array.from(first), Int32Array.from(last, (column) => Math.min(column, width - 1)));
}

/**
 * Return the width in pixels of a region's edge where both grounds mix.
 * @param {number} factor
 */
export function edgeWidth(factor) {
  return rint(REGION_EDGE * factor) + REGION_BLUR;
}

/**
 * Return the level half way between the darkest and the lightest tone, and their difference.
 *
 * Otsu's threshold (1979) would miss a small region in a picture of uneven light.
 */
function twoTones(grey) {
  const counts = histogramOf(grey);
  const reaching = (share) => {
    let level = 0;
    for (let counted = counts[0]; level < 256 && counted / grey.data.length < share; counted += counts[level]) level++;
    return level;
  };
  const [darkest, lightest] = [reaching(LEAST_TONE), reaching(1 - LEAST_TONE)];
  return [(darkest + lightest) >> 1, lightest - darkest];
}
