/** Numbers: rounding, medians, quantiles and interpolation, equal to NumPy's to the last bit. */

/**
 * Round to the nearest integer, halves to the even one, like np.rint and Python's round.
 * @param {number} value
 * @returns {number}
 */
export function rint(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * Return the k-th smallest value, and reorder the values (Hoare's quickselect).
 * @param {Float64Array | Int32Array | Uint8Array | number[]} values
 * @param {number} k from 0
 * @returns {number}
 */
export function select(values, k) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const swapped = values[i];
        values[i++] = values[j];
        values[j--] = swapped;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k];
}

/**
 * Return the median; of an even number of values the mean of the middle two, like np.median.
 * @param {ArrayLike<number>} values not empty
 * @returns {number}
 */
export function median(values) {
  const copy = Float64Array.from(values);
  const half = copy.length >> 1;
  const upper = select(copy, half);
  if (copy.length % 2) return upper;
  let lower = copy[0];
  for (let k = 1; k < half; k++) if (copy[k] > lower) lower = copy[k];
  return (lower + upper) / 2;
}

/**
 * Return the positions of values in ascending order; equal ones keep their order.
 * @param {ArrayLike<number>} values
 * @returns {number[]}
 */
export function argsort(values) {
  return Array.from(values, (_, k) => k).sort((a, b) => values[a] - values[b] || a - b);
}

/**
 * Return the position of the smallest value, the first of equal ones.
 * @param {ArrayLike<number>} values not empty
 * @returns {number}
 */
export function argmin(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] < values[best]) best = k;
  return best;
}

/**
 * Return the sum of values.
 * @param {ArrayLike<number>} values
 * @returns {number}
 */
export function total(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum;
}
