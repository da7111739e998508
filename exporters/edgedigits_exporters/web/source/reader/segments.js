/**
 * Segments: which candidates are the digits, by the network's outputs.
 *
 * Each division of the pieces among candidates is a path. The best path is found by dynamic programming over
 * candidates that were all classified at once, as in Matan, Burges, LeCun and Denker, "Multi-digit recognition using a
 * space displacement neural network" (1991).
 */
import { inkSum } from "./planes.js";

// A non-digit counts like a digit of this confidence. A network trained on non-digits is less sure of them, so cutting
// them into pieces that look like digits must explain much more.
const NO_DIGIT = 0.3;

// Cost of each digit: fewer explain the same ink better.
const ANOTHER = 0.5;

// Touching digits, up to four, cost less than a non-digit. But their pieces must look like digits without doubt, which
// those of letters rarely do: missing confidence counts this many times.
const ANOTHER_CUT = 0.2;
const CUT_CERTAINTY = 40;

// Weight of the share of the ink for the only digit of a picture.
const INK_SHARE = 1;

/**
 * Return the candidates of the best division in reading order, and whether each counts as a digit.
 * @param {import("./locate.js").Layout} layout
 * @param {number[]} confidence confidence of each as a digit
 * @param {boolean[]} possible false if the shape is not a digit's
 * @param {number | null} [length] required number of digits; null for any
 * @returns {{candidate: number, isDigit: boolean}[]} empty if `length` is impossible
 */
export function chosenPath({ candidates, pieces }, confidence, possible, length = null) {
  const size = length === null ? 1 : length + 1;
  const best = Array.from({ length: pieces + 1 }, () => new Float64Array(size).fill(-Infinity));
  const back = Array.from({ length: pieces + 1 }, () => new Array(size).fill(null));
  best[0][0] = 0;
  const byEnd = Array.from({ length: pieces + 1 }, () => []);
  candidates.forEach((candidate, k) => byEnd[candidate.last + 1].push(k));
  for (let end = 1; end <= pieces; end++) {
    for (const k of byEnd[end]) {
      const { first, cost, cut } = candidates[k];
      const another = cut ? ANOTHER_CUT : ANOTHER;
      const certainty = Math.log(Math.max(confidence[k], 1e-6)) * (cut ? CUT_CERTAINTY : 1);
      const scores = [possible[k] ? certainty - another : -Infinity, Math.log(NO_DIGIT) - another];
      scores.forEach((score, other) => {
        const isDigit = other === 0;
        const step = isDigit && length !== null ? 1 : 0;
        for (let count = 0; count < size - step; count++) {
          const before = best[first][count] + score - cost;
          if (before > best[end][count + step]) {
            best[end][count + step] = before;
            back[end][count + step] = { candidate: k, isDigit };
          }
        }
      });
    }
  }
  return Number.isFinite(best[pieces][size - 1]) ? pathBack(candidates, back, size - 1, length) : [];
}

function pathBack(candidates, back, digits, length) {
  const path = [];
  let count = digits;
  for (let end = back.length - 1; end > 0; ) {
    const step = back[end][count];
    path.unshift(step);
    end = candidates[step.candidate].first;
    if (step.isDigit && length !== null) count--;
  }
  return path;
}

/**
 * Return the candidate that is most likely the only digit of its picture: confident, with most of the ink.
 * @param {import("./locate.js").Layout} layout
 * @param {number[]} confidence
 * @param {boolean[]} possible
 * @returns {number}
 */
export function bestOne({ candidates }, confidence, possible) {
  const ink = candidates.map((candidate) => inkSum(candidate.ink));
  const most = Math.max(...ink);
  let best = 0;
  const scores = candidates.map(({ cost }, k) => {
    const score = Math.log(Math.max(confidence[k], 1e-6)) - cost + INK_SHARE * Math.log(ink[k] / most);
    return possible[k] ? score : score - 100;
  });
  for (let k = 1; k < scores.length; k++) if (scores[k] > scores[best]) best = k;
  return best;
}
