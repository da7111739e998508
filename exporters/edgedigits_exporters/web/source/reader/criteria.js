/** What a picture is expected to hold, and the verdict on its candidates. */

/** Values of the option `expect`. */
export const EXPECT = ["auto", "one", "number", "page"];

/** How a reason of too little confidence begins. */
export const DOUBTED = "confidence";

/**
 * The confidence threshold, what is expected, and the number of digits, null for any.
 * @typedef {{threshold: number, expect: string, length: number | null}} Criteria
 *
 * The candidates in reading order, why each is rejected, empty for a digit, and the line of each; `sure`: the
 * confidence of each candidate, by index, where it is not the classifier's own.
 * @typedef {{order: number[], why: string[], note: string, lines: number[], sure?: number[]}} Verdict
 */

/** Return the reason for rejecting a confidence; empty if it reaches the threshold. */
export function doubt(confidence, threshold) {
  return confidence >= threshold ? "" : `${DOUBTED} ${confidence.toFixed(2)} < ${threshold.toFixed(2)}`;
}

/** Return the note that not `length` digits were found; empty if any number was expected. */
export function lengthNote(count, length) {
  return length ? `found ${count} digit${count === 1 ? "" : "s"}, not the ${length} that were expected` : "";
}

/** Return the note that more digits were found than expected; empty if not. */
export function surplusNote(found, length) {
  return found > length ? `found ${found} digits, and left out the least likely: ${length} were expected` : "";
}

/**
 * Judge the only candidate of a picture.
 * @param {Float32Array[]} confidences of one candidate
 * @param {Criteria} criteria
 * @returns {Verdict}
 */
export function judgeOne([confidences], { threshold }) {
  return { order: [0], why: [doubt(Math.max(...confidences), threshold)], note: "", lines: [0] };
}
