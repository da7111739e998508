/**
 * Regions: parts of a picture that are ground of their own, written on in the other polarity than the rest.
 *
 * A dark header with light digits on a white page, a display in a photographed sheet, paper on a blackboard: filled
 * quadrilaterals of one tone that hold writing of the other, while the rest holds writing of theirs.
 */
import { findComponents } from "./components.js";
import { maskStrokeWidth } from "./marks.js";
import { interpolated, medianLevel, rint } from "./numbers.js";
import { LEAST_FILLED, MOST_SHEETS, straightSides } from "./sheets.js";
import { Pixels } from "./pixels.js";
import { countNonzero, cropped, histogramOf, makePlane, padded } from "./planes.js";

// How large a region is at least: as a part of the picture, and its sides in pixels of the reduced picture.
const LEAST_REGION = 0.005;
const LEAST_REGION_SIDE = 10;

// The part of the picture that a tone covers at least. Tones nearer to each other than this, in grey levels, are one.
const LEAST_TONE = 0.002;
const LEAST_DIFFERENCE = 64;

// The part of the rest that is of the other tone at least: the inside of a drawn box has its own all around.
const LEAST_GROUND = 0.5;

// A mark of writing: how high it is at least, in pixels of the reduced picture, as a part of its region and of its
// own width; how broad its strokes are at most, as a part of its longer side and of the ground between the marks.
// What is smaller than a speck does not count, and a texture has more marks.
const LEAST_HEIGHT = 6;
const LEAST_PART = 0.1;
const FLATTEST_MARK = 0.5;
const BROADEST = 0.35;
const TO_GROUND = 0.6;
const SPECK = 3;
const MOST_REGION_MARKS = 200;

// Blur makes a region's edge so wide: in pixels of the reduced picture, and in those of the picture.
const REGION_EDGE = 1.5;
const REGION_BLUR = 2;
// Around a region the ground is seen in a rim so wide, in pixels.
const RIM = 3;

/** A part of a picture, in its pixels. */
export class Region {
  /**
   * @param {number} top its first row
   * @param {Int32Array} first its first column in each row
   * @param {Int32Array} last its last column in each row
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
   * Call with the start and the end of each row in a picture so wide, and where they lie in the region's own box.
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

  /** Return what of its box is its own. */
  mask() {
    const mask = makePlane(this.width, this.height);
    this.eachRow(0, (start, end, own) => mask.data.fill(1, own, own + end - start));
    return mask;
  }

  /**
   * Return its box of a picture; beyond its sides it goes on as it is there.
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
   * Return it `by` pixels larger to every side, within a picture of a size.
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
   * Return it `by` pixels smaller to every side; null where nothing is left.
   * @param {number} by
   * @returns {Region | null}
   */
  shrunk(by) {
    const rows = Math.max(this.height - 2 * by, 0);
    const first = new Int32Array(rows);
    const last = new Int32Array(rows);
    // Of a shape without bays, what lies both in it moved up and in it moved down.
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
 * Return a picture with the ground that lies around each region in its place.
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

/** Return the median of each channel in the rim around a region; null where there is none. */
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
 * Return the regions of a picture; none where all that is written is of one polarity.
 * @param {import("./planes.js").Plane} small the picture's darkest channels, reduced
 * @param {number} factor by how much each side is reduced
 * @param {{width: number, height: number}} size of the picture, which the regions are given for
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
    // What reaches all four sides is the picture's own ground.
    if (high < tone.height || wide < tone.width) large.push(k);
  }
  if (large.length > MOST_SHEETS) return [];
  return large.map((k) => regionOf(other, components, k)).filter((region) => region !== null);
}

/** Return one component of a tone as a region; null where it is none. */
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

/** Say whether what lies outside the regions is of the other tone and holds marks of this one. */
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
 * Say whether most of what stands clear of the edge in a mask is shaped as strokes, specks aside.
 *
 * `least` is how high a mark is at least.
 */
function holdsMarks(mask, least) {
  // The first component is the edge that is put around, with all that reaches it.
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
  // Whole columns, as Int32Array makes them: rounded down.
  return new Region(top, Int32Array.from(first), Int32Array.from(last, (column) => Math.min(column, width - 1)));
}

/**
 * Return how far from a region's side its pixels may be a mix of both grounds, in pixels.
 * @param {number} factor
 */
export function edgeWidth(factor) {
  return rint(REGION_EDGE * factor) + REGION_BLUR;
}

/**
 * Return the level half way between the darkest and the lightest tone, and how far these lie apart.
 *
 * Unlike the level that parts most pixels best (Otsu 1979), it finds a small region in a picture of uneven light.
 */
function twoTones(grey) {
  const counts = histogramOf(grey);
  const reaching = (share) => {
    let level = 0;
    for (let seen = counts[0]; level < 256 && seen / grey.data.length < share; seen += counts[level]) level++;
    return level;
  };
  const [darkest, lightest] = [reaching(LEAST_TONE), reaching(1 - LEAST_TONE)];
  return [(darkest + lightest) >> 1, lightest - darkest];
}
