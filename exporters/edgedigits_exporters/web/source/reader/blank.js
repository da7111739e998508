/** Images that are refused whatever the network answers: without contrast, or of noise alone. */

// As in edgedigits_runtime/classifier.py, which says where these numbers are from.
const LEAST_CONTRAST = 16;
const ROUGHEST = [17, 20];

/**
 * Return whether a framed image is blank or noise alone, exactly as Python and C.
 * @param {import("./planes.js").Plane} plane
 * @returns {boolean}
 */
export function isBlank({ data, width, height }) {
  let [sum, squares, rough, darkest, brightest] = [0, 0, 0, 255, 0];
  for (let k = 0; k < data.length; k++) {
    sum += data[k];
    squares += data[k] ** 2;
    if (k % width) rough += (data[k] - data[k - 1]) ** 2;
    if (k >= width) rough += (data[k] - data[k - width]) ** 2;
    darkest = Math.min(darkest, data[k]);
    brightest = Math.max(brightest, data[k]);
  }
  const pairs = height * (width - 1) + (height - 1) * width;
  const spread = squares - Math.floor(sum ** 2 / data.length);
  const [share, of] = ROUGHEST;
  return brightest - darkest < LEAST_CONTRAST || of * rough * data.length >= share * 2 * pairs * spread;
}
