/**
 * Frame: a digit's ink as MNIST has it, in 28x28 pixels.
 *
 * MNIST's digits fill a box of 20x20 pixels and stand with their centre of mass in the middle of 28x28 (LeCun,
 * Cortes and Burges, http://yann.lecun.com/exdb/mnist). The middle is pixel 14: the centres of mass of all but 2
 * of the 60,000 training images, weighted by grey and in pixel indices, lie within half a pixel of (14, 14). So
 * they go through `frameDigit` unchanged.
 */
import { Box } from "./marks.js";
import { rint } from "./numbers.js";
import { boundsOf, cropped, makePlane } from "./planes.js";
import { BILINEAR, resized } from "./resampling.js";
import { brightened, withUsualStrokeWidth } from "./stroke_width.js";

export const FRAME_SIDE = 28;
export const FRAME_CENTRE = 14;
const DIGIT_BOX = 20;

/**
 * Return one digit framed, 28x28; all zeros where there is no ink.
 * @param {import("./planes.js").Plane} ink bright on 0, one digit
 * @returns {import("./planes.js").Plane}
 */
export function frameDigit(ink) {
  const framed = makePlane(FRAME_SIDE, FRAME_SIDE);
  const tight = tightInk(ink);
  if (!tight) return framed;
  const digit = inDigitBox(tight);
  const { width, height, data } = digit;
  let [weight, across, down] = [0, 0, 0];
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      weight += data[k];
      across += data[k] * x;
      down += data[k] * y;
    }
  }
  const top = frameStart(down / weight, height);
  const left = frameStart(across / weight, width);
  for (let y = 0; y < height; y++) {
    framed.data.set(data.subarray(y * width, (y + 1) * width), (top + y) * FRAME_SIDE + left);
  }
  return framed;
}

/**
 * Return the box of a picture's ink where it is a digit framed already, as an MNIST image is; else null.
 *
 * Its longest side, and both coordinates of its centre of mass, are those that framing gives; by chance hardly any
 * 28x28 picture has all three. 13 of MNIST's 60,000 training images are 19 pixels long, and none less.
 * @param {import("./planes.js").Plane} ink
 * @returns {Box | null}
 */
export function framedBox(ink) {
  if (ink.width !== FRAME_SIDE || ink.height !== FRAME_SIDE) return null;
  const bounds = boundsOf(ink);
  if (!bounds) return null;
  const box = new Box(bounds.left, bounds.top, bounds.right - bounds.left, bounds.bottom - bounds.top);
  const longest = Math.max(box.width, box.height);
  if (longest !== DIGIT_BOX - 1 && longest !== DIGIT_BOX) return null;
  let [weight, across, down] = [0, 0, 0];
  ink.data.forEach((level, k) => {
    weight += level;
    across += level * (k % FRAME_SIDE);
    down += level * Math.floor(k / FRAME_SIDE);
  });
  const isCentred = [across, down].every((moment) => Math.abs(moment / Math.max(weight, 1) - FRAME_CENTRE) <= 0.5);
  return isCentred ? box : null;
}

/**
 * Return a picture in the size that a model takes, channel by channel, and nothing more.
 * @param {import("./pixels.js").Pixels} picture
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array} height * width * channels
 */
export function framePlain(picture, width, height) {
  const { channels, data } = picture;
  const framed = new Uint8Array(width * height * channels);
  for (let channel = 0; channel < channels; channel++) {
    const plane = makePlane(picture.width, picture.height);
    for (let k = 0; k < plane.data.length; k++) plane.data[k] = data[k * channels + channel];
    const shown = resized(plane, width, height, BILINEAR).data;
    for (let k = 0; k < shown.length; k++) framed[k * channels + channel] = shown[k];
  }
  return framed;
}

/** Return a digit, tight around its ink, with its longest side at 20 pixels and strokes as MNIST's are. */
function inDigitBox(ink) {
  const digit = scaledToBox(ink);
  const changed = withUsualStrokeWidth(ink, digit);
  return changed ? scaledToBox(tightInk(changed)) : digit;
}

function tightInk(ink) {
  const bounds = boundsOf(ink);
  if (!bounds) return null;
  return cropped(ink, bounds.left, bounds.top, bounds.right - bounds.left, bounds.bottom - bounds.top);
}

/** Scale the longest side to 20 pixels, anti-aliased, its brightest pixel kept full. */
function scaledToBox(digit) {
  const longest = Math.max(digit.height, digit.width);
  if (longest === DIGIT_BOX) return digit;
  const width = Math.max(1, rint((digit.width * DIGIT_BOX) / longest));
  const height = Math.max(1, rint((digit.height * DIGIT_BOX) / longest));
  // The filter is widened by the reduction, so that every source pixel counts. Thin strokes turn grey on the way
  // down; MNIST's reach full brightness.
  return brightened(resized(digit, width, height, BILINEAR));
}

/** Return where a digit of `length` begins: its centre of mass on pixel 14, all of it inside the frame. */
function frameStart(centre, length) {
  return Math.min(Math.max(Math.floor(FRAME_CENTRE - centre + 0.5), 0), FRAME_SIDE - length);
}
