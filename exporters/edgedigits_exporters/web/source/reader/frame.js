/**
 * Frame: a digit's ink in 28x28 pixels, like an MNIST image.
 *
 * MNIST's digits fill a box of 20x20 pixels and have their centre of mass in the middle of 28x28 (LeCun, Cortes and
 * Burges, http://yann.lecun.com/exdb/mnist). The middle is pixel 14: the centres of mass of all but 2 of the 60,000
 * training images, weighted by grey and in pixel indices, are within half a pixel of (14, 14). So `frameDigit` returns
 * them unchanged.
 */
import { Box } from "./box.js";
import { rint } from "./numbers.js";
import { boundsOf, cropped, makePlane } from "./planes.js";
import { BILINEAR, resized } from "./resampling.js";
import { brightened, withUsualStrokeWidth } from "./stroke_width.js";

export const FRAME_SIDE = 28;
export const FRAME_CENTRE = 14;
const DIGIT_BOX = 20;

/**
 * Return a framed digit, 28x28; all zeros without ink.
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
 * Return the box of the ink if the picture is a framed digit, such as an MNIST image; else null.
 *
 * Framing determines the longest side and both coordinates of the centre of mass; few other 28x28 pictures have all
 * three. The longest side of 13 of MNIST's 60,000 training images is 19 pixels, of the others 20.
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
 * Return a picture resized to a model's input, channel by channel, without framing.
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
    const plain = resized(plane, width, height, BILINEAR).data;
    for (let k = 0; k < plain.length; k++) framed[k * channels + channel] = plain[k];
  }
  return framed;
}

/** Return a digit, tight around its ink, with a longest side of 20 pixels and a stroke width of MNIST. */
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

/** Scale the longest side to 20 pixels with anti-aliasing, and the maximum to full brightness. */
function scaledToBox(digit) {
  const longest = Math.max(digit.height, digit.width);
  if (longest === DIGIT_BOX) return digit;
  const width = Math.max(1, rint((digit.width * DIGIT_BOX) / longest));
  const height = Math.max(1, rint((digit.height * DIGIT_BOX) / longest));
  // The filter is widened by the reduction, so that every source pixel counts. Thin strokes turn grey when reduced;
  // those of MNIST reach full brightness.
  return brightened(resized(digit, width, height, BILINEAR));
}

/** Return the start of a digit of `length`: its centre of mass on pixel 14, and all of it in the frame. */
function frameStart(centre, length) {
  return Math.min(Math.max(Math.floor(FRAME_CENTRE - centre + 0.5), 0), FRAME_SIDE - length);
}
