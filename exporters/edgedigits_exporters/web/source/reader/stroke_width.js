/**
 * Stroke width: bring the strokes of a hairline or a broad marker near MNIST's width.
 *
 * In MNIST's training images, measured in a box of 20 pixels by `greyStrokeWidth`, 0.5% of the widths are below 1.5
 * pixels and 3% above 4; half are between 2.2 and 2.9. Only widths outside these limits are changed, and only to the
 * limit, so that widths just inside and just outside give similar results. Thick strokes of a digit no larger than the
 * box are kept, since there is no finer picture of them.
 */
import { rint } from "./numbers.js";
import { inkSum, inverted, makePlane, padded, subtracted } from "./planes.js";
import { BILINEAR, resized } from "./resampling.js";

// In pixels of the box of 20.
const THINNEST = 1.5;
const GREY = 1.9;
const THICKEST = 4;

// Widths are changed on a canvas this many times finer than the box.
const FINE = 4;
const FINE_SIDE = 20 * FINE;

/**
 * Return the mean width of the strokes in pixels: twice the ink divided by the length of its outline.
 *
 * The length of the outline is the total variation (the coarea formula), which is valid for grey edges too.
 * @param {import("./planes.js").Plane} digit bright on 0
 */
export function greyStrokeWidth(digit) {
  const { width, height, data } = digit;
  const around = padded(digit, 1).data;
  const row = width + 2;
  let outline = 0;
  for (let y = 0; y <= height; y++) {
    for (let x = 0, k = y * row; x <= width; x++, k++) {
      const [a, b, c, d] = [around[k], around[k + 1], around[k + row], around[k + row + 1]];
      const down = c - a + d - b;
      const right = b - a + d - c;
      // NumPy's float32, whose sum is exact in float64.
      outline += Math.fround(Math.sqrt(down * down + right * right));
    }
  }
  return outline && data.length ? (2 * inkSum(digit)) / (outline / 2) : 0;
}

/**
 * Return a digit with a stroke width of MNIST, larger than its box; null if its width is usual.
 * @param {import("./planes.js").Plane} ink bright on 0, tight around the digit
 * @param {import("./planes.js").Plane} digit the same with its longest side scaled to 20
 * @returns {import("./planes.js").Plane | null}
 */
export function withUsualStrokeWidth(ink, digit) {
  const width = greyStrokeWidth(digit);
  if (width < GREY) {
    // Hairlines turn grey instead of thinner when reduced, so only the fine scale shows their width.
    const fine = fineDigit(brightestBlocks(ink));
    const thin = greyStrokeWidth(fine) / FINE;
    return thin < THINNEST ? dilatedInk(padded(fine, FINE), (FINE * (THINNEST - thin)) / 2) : null;
  }
  if (width > THICKEST && Math.max(ink.width, ink.height) > Math.max(digit.width, digit.height)) {
    const fine = padded(fineDigit(ink), 1);
    return thinnedInk(fine, (greyStrokeWidth(fine) - FINE * THICKEST) / 2);
  }
  return null;
}

/** Reduce to at least the fine size by the maximum of each block, which keeps hairlines. */
function brightestBlocks(digit) {
  const factor = Math.max(1, Math.floor(Math.max(digit.width, digit.height) / FINE_SIDE));
  return blockMaxima(digit, factor);
}

/**
 * Return the maximum of each block of factor x factor.
 * @param {import("./planes.js").Plane} grey
 * @param {number} factor
 * @returns {import("./planes.js").Plane}
 */
export function blockMaxima(grey, factor) {
  if (factor === 1) return grey;
  const blocks = makePlane(Math.ceil(grey.width / factor), Math.ceil(grey.height / factor));
  for (let y = 0, k = 0; y < grey.height; y++) {
    const row = Math.floor(y / factor) * blocks.width;
    for (let x = 0, to = row; x < grey.width; to++) {
      const end = Math.min(x + factor, grey.width);
      for (; x < end; x++, k++) if (grey.data[k] > blocks.data[to]) blocks.data[to] = grey.data[k];
    }
  }
  return blocks;
}

function fineDigit(digit) {
  const scale = FINE_SIDE / Math.max(digit.height, digit.width);
  const width = Math.max(1, rint(digit.width * scale));
  const height = Math.max(1, rint(digit.height * scale));
  return brightened(resized(digit, width, height, BILINEAR));
}

/**
 * Return a grey picture scaled to a maximum of 255.
 * @param {import("./planes.js").Plane} grey
 * @returns {import("./planes.js").Plane}
 */
export function brightened(grey) {
  const most = grey.data.reduce((brightest, level) => Math.max(brightest, level), 1);
  // NumPy computes in float32 here.
  const factor = Math.fround(255 / most);
  const table = Uint8Array.from({ length: 256 }, (_, level) => Math.min(rint(Math.fround(level * factor)), 255));
  return makePlane(grey.width, grey.height, grey.data.map((level) => table[level]));
}

/** Remove `radius` from both sides of all strokes except those that would vanish. */
function thinnedInk(digit, radius) {
  const eroded = inverted(dilatedInk(inverted(digit), radius));
  const lost = subtracted(digit, dilatedInk(eroded, radius));
  const kept = dilatedInk(lost, radius);
  return makePlane(digit.width, digit.height, eroded.data.map((level, k) => {
    return Math.max(level, Math.min(digit.data[k], kept.data[k]));
  }));
}

/** Return the maximum within `radius`; a pixel partly within counts by that part of its brightness. */
function dilatedInk(digit, radius) {
  const { width, height } = digit;
  const reach = Math.ceil(Math.max(radius, 0));
  const result = makePlane(width, height, digit.data.slice());
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const part = Math.min(1, radius + 0.5 - Math.sqrt(x * x + y * y));
      if (part > 0) brighten(result, digit, x, y, partTable(part));
    }
  }
  return result;
}

/** Return a part of each level. Rounding before the maximum gives the same as after it. */
function partTable(part) {
  const single = Math.fround(part);
  return Uint8Array.from({ length: 256 }, (_, level) => rint(Math.fround(level * single)));
}

/** Raise each pixel to the table's value of the pixel at offset (x, y); the edge is repeated. */
function brighten(result, digit, x, y, table) {
  const { width, height, data } = digit;
  for (let row = 0, to = 0; row < height; row++) {
    const from = Math.min(Math.max(row + y, 0), height - 1) * width;
    for (let column = 0; column < width; column++, to++) {
      const beside = column + x;
      const level = table[data[from + (beside < 0 ? 0 : beside >= width ? width - 1 : beside)]];
      if (level > result.data[to]) result.data[to] = level;
    }
  }
}
