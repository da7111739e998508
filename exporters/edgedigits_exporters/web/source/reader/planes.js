/** Planes: grey pictures and masks with one byte per pixel, and common operations on them. */

/**
 * A grey picture, or a mask of 0 and 1, by rows.
 * @typedef {{width: number, height: number, data: Uint8Array}} Plane
 */

/**
 * Return the larger of two integers without a branch, which pictures would mispredict half of the time.
 * @param {number} one
 * @param {number} other less than 2 ** 31 away from it
 * @returns {number}
 */
export function larger(one, other) {
  const above = one - other;
  return one - (above & (above >> 31));
}

/**
 * Return a plane, of zeros without `data`.
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} [data] width * height
 * @returns {Plane}
 */
export function makePlane(width, height, data = new Uint8Array(width * height)) {
  return { width, height, data };
}

/**
 * Return 255 minus every pixel.
 * @param {Plane} grey
 * @returns {Plane}
 */
export function inverted(grey) {
  const data = new Uint8Array(grey.data.length);
  for (let k = 0; k < data.length; k++) data[k] = 255 - grey.data[k];
  return makePlane(grey.width, grey.height, data);
}

/**
 * Return a plane with rows and columns swapped.
 * @param {Plane} plane
 * @returns {Plane}
 */
export function transposed(plane) {
  const { width, height, data } = plane;
  const turned = new Uint8Array(data.length);
  // In blocks, so that both planes stay in the cache.
  for (let top = 0; top < height; top += 32) {
    const bottom = Math.min(top + 32, height);
    for (let x = 0; x < width; x++) {
      for (let y = top, from = top * width + x; y < bottom; y++, from += width) turned[x * height + y] = data[from];
    }
  }
  return makePlane(height, width, turned);
}

/**
 * Return a part of a plane, within its sides.
 * @param {Plane} plane
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @returns {Plane}
 */
export function cropped(plane, x, y, width, height) {
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const start = (y + row) * plane.width + x;
    data.set(plane.data.subarray(start, start + width), row * width);
  }
  return makePlane(width, height, data);
}

/**
 * Return a plane in the middle of a larger one.
 * @param {Plane} plane
 * @param {number} by pixels added on each side
 * @param {number} [value] value of the added pixels
 * @returns {Plane}
 */
export function padded(plane, by, value = 0) {
  const width = plane.width + 2 * by;
  const result = makePlane(width, plane.height + 2 * by);
  if (value) result.data.fill(value);
  for (let y = 0; y < plane.height; y++) {
    result.data.set(plane.data.subarray(y * plane.width, (y + 1) * plane.width), (y + by) * width + by);
  }
  return result;
}

/**
 * Return how far each pixel of `grey` is below `ground`, 0 where it is above.
 * @param {Plane} ground
 * @param {Plane} grey of the same size
 * @returns {Plane}
 */
export function subtracted(ground, grey) {
  const data = new Uint8Array(grey.data.length);
  for (let k = 0; k < data.length; k++) {
    data[k] = larger(ground.data[k] - grey.data[k], 0);
  }
  return makePlane(grey.width, grey.height, data);
}

/**
 * Count the pixels other than 0.
 * @param {Plane} plane
 * @returns {number}
 */
export function countNonzero(plane) {
  const { data } = plane;
  let count = 0;
  for (let k = 0; k < data.length; k++) if (data[k]) count++;
  return count;
}

/**
 * Return the sum of all pixels.
 * @param {Plane} plane
 * @returns {number}
 */
export function inkSum(plane) {
  const { data } = plane;
  let sum = 0;
  for (let k = 0; k < data.length; k++) sum += data[k];
  return sum;
}

/**
 * Return the smallest rectangle around all pixels other than 0; null if there are none.
 * @param {Plane} plane
 * @returns {{left: number, top: number, right: number, bottom: number} | null} the last two exclusive
 */
export function boundsOf(plane) {
  const { width, height, data } = plane;
  let left = width;
  let right = 0;
  let top = -1;
  let bottom = 0;
  for (let y = 0; y < height; y++) {
    const start = y * width;
    let x = 0;
    while (x < width && !data[start + x]) x++;
    if (x === width) continue;
    if (top < 0) top = y;
    bottom = y + 1;
    if (x < left) left = x;
    x = width - 1;
    while (!data[start + x]) x--;
    if (x >= right) right = x + 1;
  }
  return top < 0 ? null : { left, top, right, bottom };
}
