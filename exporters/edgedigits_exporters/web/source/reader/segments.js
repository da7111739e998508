/**
 * Segments: which of the candidates are the digits, by the network's answers.
 *
 * Every way to divide the pieces among candidates is a path; the best path is found by dynamic programming over
 * candidates that were all classified at once, as in reading handwritten numerals since Matan, Burges, LeCun and
 * Denker, "Multi-digit recognition using a space displacement neural network" (1991).
 */
import { inkSum } from "./planes.js";

// What a candidate counts that is no digit: as one of this confidence would. A network that has learned what is no
// digit is less sure of it; cutting it into pieces that look like digits has to explain much more.
const NO_DIGIT = 0.3;

// What each digit costs: fewer explain the same ink better.
const ANOTHER = 0.5;

// Digits that touch are cheaper than a mark that is none, up to four of them; but their pieces have to look like
// digits without doubt, as those of letters rarely do: what is missing in their confidence counts so many times.
const ANOTHER_CUT = 0.2;
const CUT_CERTAINTY = 40;

// How much a smaller share of the ink counts against being the one digit of a picture.
const INK_SHARE = 1;

/**
 * Return the candidates of the best division in reading order, and whether each is counted as a digit.
 * @param {import("./locate.js").Layout} layout
 * @param {number[]} confidence each candidate's as a digit
 * @param {boolean[]} possible false for what is no digit by its shape
 * @param {number | null} [length] how many digits there have to be; null for as many as there are
 * @returns {{candidate: number, isDigit: boolean}[]} empty where `length` cannot be met
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
 * Return the candidate that is likeliest the one digit of its picture: a sure one, with most of the ink.
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
