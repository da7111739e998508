/**
 * Ink: the writing, bright on black, for any colours, polarity and light.
 *
 * Ink deviates from the ground to the side with more weight. Deviations to the other side, where there is no ink,
 * measure the noise.
 */
import { boxBlurred, histogramOf, medianLevel, smaller } from "./levels.js";
import { insideSurround } from "./surround.js";
import { contrast } from "./envelope.js";
import { GAIN_BITS, LEAST_LOCAL_SIDE, findGround, reduced } from "./ground.js";
import { rint } from "./numbers.js";
import { Pixels } from "./pixels.js";
import { countNonzero, inverted, larger, makePlane, subtracted } from "./planes.js";
import { edgeWidth, findRegions, withoutRegions } from "./regions.js";
import { BILINEAR, resized } from "./resampling.js";
import { withoutRuledLines } from "./ruled_lines.js";

// The ground is computed on a picture reduced to about this many pixels, since light changes slowly.
const GROUND_PIXELS = 49_152;

// Minimum ratio of ink to noise; blurred noise forms blots.
const INK_TO_NOISE = 2;
const BLURRED_TO_NOISE = 3;

// Levels are counted on a grid of about this many pixels.
const COUNTED_PIXELS = 400_000;

// Below this contrast, in grey levels, there is no writing: JPEG and sensors alone reach a few levels.
const LEAST_CONTRAST = 8;

// Pixels from this share of full contrast on are strokes, weaker ones are smears.
const STROKE_LEVEL = 0.35;

// Contrast that needs no stretching: the maximum of MNIST's images is 254 or 255.
const FULL_CONTRAST = 230;

// A clean picture has hardly any traces below LEAST_CONTRAST away from its strokes, as JPEG leaves them: at most this
// share of its ink pixels.
const CLEAN_SHARE = 0.01;

// Blur radius, and the ratio of grain to ink from which it is applied, strongest first.
const GRAIN = [[2, 0.3], [1, 0.12]];

// The channels of tinted paper are balanced to grey; a smaller gain than this is no tint.
const LEAST_TINT_GAIN = 1.15;
const MOST_TINT_GAIN = 2.5;

/**
 * Return the ink of a picture: 0 where there is none, up to 255 in full strokes.
 *
 * A clean picture, such as an MNIST image, is returned unchanged, since its grey edges belong to the digit. Of a noisy
 * one only strokes and the pixels beside them are kept, with stretched contrast.
 * @param {Pixels} picture dark on light or light on dark; coloured ink counts as much as black
 * @returns {import("./planes.js").Plane}
 */
export function findInk(picture) {
  const { rows, columns } = insideSurround(picture);
  const [width, height] = [columns[1] - columns[0], rows[1] - rows[0]];
  if (width === picture.width && height === picture.height) return inkOf(picture);
  const inner = new Pixels(width, height, picture.channels, new Uint8Array(width * height * picture.channels));
  const bytes = width * picture.channels;
  for (let y = 0; y < height; y++) {
    const start = ((rows[0] + y) * picture.width + columns[0]) * picture.channels;
    inner.data.set(picture.data.subarray(start, start + bytes), y * bytes);
  }
  const innerInk = inkOf(inner);
  const ink = makePlane(picture.width, picture.height);
  for (let y = 0; y < height; y++) {
    ink.data.set(innerInk.data.subarray(y * width, (y + 1) * width), (rows[0] + y) * picture.width + columns[0]);
  }
  return ink;
}

/** Return the ink of a picture without a surround; each region has its own polarity. */
function inkOf(picture) {
  const extremes = extremesOf(picture);
  const { width, height } = picture;
  if (Math.min(width, height) < LEAST_LOCAL_SIDE) return inkOfOnePolarity(...extremes);
  const factor = stepFor(picture, GROUND_PIXELS);
  const regions = findRegions(reduced(extremes[0], factor), factor, picture);
  if (!regions.length) return inkOfOnePolarity(...extremes);
  const edge = edgeWidth(factor);
  const wide = regions.map((region) => region.grown(edge, picture));
  const rest = inkOfOnePolarity(...extremesOf(withoutRegions(picture, wide)));
  const ink = makePlane(width, height, rest.data.slice());
  for (const region of wide) region.eachRow(width, (start, end) => ink.data.fill(0, start, end));
  for (const region of regions) {
    const inner = region.shrunk(edge);
    if (!inner) continue;
    const own = inkOf(inner.cut(picture));
    inner.eachRow(width, (start, end, at) => ink.data.set(own.data.subarray(at, at + end - start), start));
  }
  return ink;
}

/** Return the ink of a picture of one polarity. */
function inkOfOnePolarity(darkest, lightest) {
  const factor = stepFor(darkest, GROUND_PIXELS);
  let ground = findGround(darkest, lightest, factor);
  let grey = ground.darkInk ? darkest : lightest;
  const radius = grainRadius(grey, ground, factor);
  if (radius) {
    const [dark, light] = [boxBlurred(darkest, radius), boxBlurred(lightest, radius)];
    ground = findGround(dark, light, factor);
    grey = ground.darkInk ? dark : light;
  }
  const sides = inkSides(grey, ground, factor);
  let { ink } = sides;
  const noise = noiseLevel(sides.other, ground.uniform);
  let peak = peakLevel(countedLevels(ink), noise);
  if (peak >= LEAST_CONTRAST && Math.min(ink.width, ink.height) >= LEAST_LOCAL_SIDE) {
    const plain = withoutRuledLines(ink, peak, noise);
    if (plain !== ink) peak = peakLevel(countedLevels(plain), noise);
    ink = plain;
  }
  return writtenInk(ink, peak, noise, radius > 0);
}

/** Return the strokes of `ink`, the distance of each pixel from the ground, with full contrast. */
function writtenInk(ink, peak, noise, blurred) {
  const { width, height } = ink;
  const written = makePlane(width, height);
  if (peak < Math.max(LEAST_CONTRAST, (blurred ? BLURRED_TO_NOISE : INK_TO_NOISE) * noise)) return written;
  const strokes = widenedStrokes(ink, Math.ceil(Math.max(noise + 1, STROKE_LEVEL * peak)));
  const clean = noise === 0 && !blurred && isClean(ink, strokes);
  const full = clean ? histogramOf(ink).findLastIndex((count) => count > 0) : peak;
  const table = new Uint8Array(256);
  for (let level = 0; level < 256; level++) {
    table[level] = full < FULL_CONTRAST ? Math.min(rint(level * (255 / full)), 255) : level;
  }
  for (let k = 0; k < written.data.length; k++) if (clean || strokes.data[k]) written.data[k] = table[ink.data[k]];
  return written;
}

/** Return the factor that reduces each side for about this many pixels. */
function stepFor({ width, height }, pixels) {
  return Math.ceil(Math.sqrt((height * width) / pixels));
}

/** Return the darkest and the lightest channel of each pixel, with the paper balanced to grey. */
function extremesOf(picture) {
  const { width, height, channels, data } = picture;
  // Dark ink of any colour is dark in some channel, light ink is light in one.
  const darkest = makePlane(width, height, channels === 1 ? data : undefined);
  if (channels === 1) return [darkest, darkest];
  const lightest = makePlane(width, height);
  const [reds, greens, blues] = tintGains(picture).map(multiplicationTable);
  for (let k = 0, from = 0; k < darkest.data.length; k++, from += 3) {
    const red = data[from];
    const green = data[from + 1];
    const blue = data[from + 2];
    lightest.data[k] = larger(larger(red, green), blue);
    darkest.data[k] = smaller(smaller(reds[red], greens[green]), blues[blue]);
  }
  return [darkest, lightest];
}

function tintGains(picture) {
  const { width, height, data } = picture;
  const step = stepFor(picture, GROUND_PIXELS);
  const counts = [0, 1, 2].map(() => new Int32Array(256));
  let count = 0;
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step, count++) {
      const from = 3 * (y * width + x);
      counts[0][data[from]]++;
      counts[1][data[from + 1]]++;
      counts[2][data[from + 2]]++;
    }
  }
  const paper = counts.map((histogram) => Math.max(medianLevel(histogram, count), 1));
  const lightest = Math.max(...paper);
  const gains = paper.map((level) => Math.min(lightest / level, MOST_TINT_GAIN));
  return gains.map((gain) => (gain < LEAST_TINT_GAIN ? 1 : gain));
}

function multiplicationTable(gain) {
  return Uint8Array.from({ length: 256 }, (_, level) => Math.min(rint(level * gain), 255));
}

function enlarged(small, { width, height }, factor) {
  // The last block of a reduced picture may extend beyond the picture.
  return factor === 1 ? small : resized(small, width, height, BILINEAR, [width / factor, height / factor]);
}

/** Return the blur radius for a picture whose grain is nearly as strong as its ink, as in dithering and low light. */
function grainRadius(grey, ground, factor) {
  if (Math.min(grey.width, grey.height) < LEAST_LOCAL_SIDE) return 0;
  const small = reduced(grey, factor);
  const full = contrast(histogramOf(subtracted(ground.level, ground.darkInk ? small : inverted(small))));
  const grain = grainOf(grey);
  const found = GRAIN.find(([, part]) => grain > part * full);
  return found ? found[0] : 0;
}

/** Return the standard deviation of pixels about the mean of their neighbours, assuming Gaussian noise. */
function grainOf(grey) {
  const { width, height, data } = grey;
  const step = stepFor(grey, COUNTED_PIXELS) ** 2;
  let sum = 0;
  let rows = 0;
  for (let y = 0; y < height; y += step, rows++) {
    const end = (y + 1) * width - 1;
    for (let k = y * width + 1; k < end; k++) {
      const away = 2 * data[k] - data[k - 1] - data[k + 1];
      sum += larger(away, -away);
    }
  }
  const mean = sum / (rows * (width - 2));
  return mean / (Math.sqrt(6) * Math.sqrt(2 / Math.PI));
}

/** Return the distance of each pixel from the ground to the ink's side, in even light, and counts to the other side. */
function inkSides(grey, ground, factor) {
  const { width, height } = grey;
  const level = enlarged(ground.level, grey, factor).data;
  const levels = (ground.darkInk ? grey : inverted(grey)).data;
  const gain = ground.gain && enlarged(ground.gain, grey, factor).data;
  const ink = makePlane(width, height);
  for (let k = 0; k < levels.length; k++) ink.data[k] = larger(level[k] - levels[k], 0);
  if (gain) for (let k = 0; k < levels.length; k++) ink.data[k] = strengthened(ink.data[k], gain[k]);
  const other = new Int32Array(256);
  const step = otherStep(grey);
  for (let y = 0; y < height; y += step) {
    for (let k = y * width, end = k + width; k < end; k += step) {
      const away = larger(levels[k] - level[k], 0);
      other[gain ? strengthened(away, gain[k]) : away]++;
    }
  }
  return { ink, other };
}

/** Return the step between counted rows: every step-th of the sampled pixels. */
function otherStep({ width, height }) {
  const step = stepFor({ width, height }, COUNTED_PIXELS);
  return step * stepFor({ width: Math.ceil(width / step), height: Math.ceil(height / step) }, COUNTED_PIXELS);
}

function strengthened(level, gain) {
  return smaller((level * gain) >> GAIN_BITS, 255);
}

/** Return whether there are hardly any faint traces away from the strokes. */
function isClean(ink, strokes) {
  let traces = 0;
  for (let k = 0; k < ink.data.length; k++) {
    const level = ink.data[k];
    if (level > 0 && level < LEAST_CONTRAST && !strokes.data[k]) traces++;
  }
  return traces <= CLEAN_SHARE * countNonzero(ink);
}

/** Count the levels of a picture; of a large one, those of a grid of pixels. */
function countedLevels(grey) {
  return histogramOf(grey, stepFor(grey, COUNTED_PIXELS));
}

/** Return the contrast of full strokes above the noise. */
function peakLevel(histogram, noise) {
  return rint(contrast(histogram.map((count, level) => (level > noise ? count : 0))));
}

/**
 * Return the level of noise: the 99th percentile or, for Gaussian noise, the same estimated from the 90th.
 *
 * A ground that follows edges is wrong beside them; these pixels are too few to affect the 90th percentile.
 */
function noiseLevel(histogram, uniform) {
  const noise = levelReaching(histogram, 0.99);
  if (uniform) return noise;
  return Math.min(noise, rint((2.33 / 1.28) * levelReaching(histogram, 0.9)) + 1);
}

/** Return the smallest level that at least `share` of the pixels do not exceed; 0 if there are none. */
function levelReaching(histogram, share) {
  let count = 0;
  for (let level = 0; level < 256; level++) count += histogram[level];
  let counted = 0;
  let below = 0;
  for (let level = 0; level < 256; level++) {
    counted += histogram[level];
    if (counted < share * count) below++;
  }
  return below;
}

/** Return the mask of pixels that reach a level, and of their eight neighbours. */
function widenedStrokes(ink, least) {
  const { width, height, data } = ink;
  const down = new Uint8Array(data.length);
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      if (data[k] < least) continue;
      down[k] = 1;
      if (y) down[k - width] = 1;
      if (y < height - 1) down[k + width] = 1;
    }
  }
  const wide = makePlane(width, height);
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      if (!down[k]) continue;
      wide.data[k] = 1;
      if (x) wide.data[k - 1] = 1;
      if (x < width - 1) wide.data[k + 1] = 1;
    }
  }
  return wide;
}
