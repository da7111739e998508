/** Judge which found boxes are digits, by both networks, by shape and by their neighbours; and in which order. */
import { joined } from "./components.js";
import { doubt, lengthNote, surplusNote } from "./criteria.js";
import { linesOf } from "./order.js";

// Log-odds of a digit that is read right: a constant, and factors on the log-odds of the finder's score, of its score
// for a letter, and of the classifier's confidence.
const WEIGHTS = [-0.966, 1.574, 0.0, 0.416];

// Log-odds beyond are counted as these.
const SURELY = 8;

// Boxes with a lower score are no candidates; a finder with a lower score is not sure.
const LEAST_SCORE = 0.2;
const SURE_SCORE = 0.5;

// Pixels of height; lower ink is a speck.
const SMALLEST = 5;

// A solid block of ink: even a bold digit leaves this much of its box free, except a 1.
const SOLID = 0.93;
const SOLID_WIDTH = 0.5;

// Neighbours in a word are no farther apart, in heights of the lower one, and share this much of its height. In a word
// the scores of letters add up to LETTERS, and to more than those of digits.
const WORD_GAP = 0.5;
const WORD_SHARED = 0.4;
const LETTERS = 1.0;

// Weight of the share of area in choosing the one digit of a picture.
const SHARE = 1;

/**
 * @typedef {{index: number, box: import("./box.js").Box, fill: number}} Candidate `index` is that of what was found
 */

/** Return whether a found box may be a digit, by its scores. */
export function mayBeDigit({ score, letterScore }) {
  return score >= Math.max(LEAST_SCORE, letterScore);
}

/**
 * Decide which candidates are digits.
 * @param {import("./found.js").Found[]} found everything on the picture
 * @param {Candidate[]} candidates
 * @param {number[]} classified highest confidence of each
 * @param {import("./criteria.js").Criteria} criteria
 * @returns {import("./criteria.js").Verdict}
 */
export function judgeFound(found, candidates, classified, criteria) {
  if (!candidates.length) return { order: [], why: [], note: lengthNote(0, criteria.length), lines: [], sure: [] };
  const own = candidates.map(({ index }) => found[index]);
  const sure = own.map((each, k) => confidence(each, classified[k]));
  const words = inWords(found);
  const faults = candidates.map(({ index, box, fill }, k) => {
    if (!mayBeDigit(own[k])) return "looks like a letter";
    return shapeFault(box, fill) || (words[index] ? "letter among letters" : "");
  });
  const doubts = sure.map((each, k) => whoDoubts(each, own[k].score, classified[k], criteria.threshold));
  return { ...verdictOf(candidates.map(({ box }) => box), sure, faults, doubts, criteria), sure };
}

/** Return the confidence that a box is a digit and is read right; never above the classifier's own. */
function confidence({ score, letterScore }, classified) {
  const [constant, ...factors] = WEIGHTS;
  const logits = [score, letterScore, classified].map(logOdds);
  const sum = factors.reduce((added, factor, k) => added + factor * logits[k], constant);
  return Math.fround(Math.min(1 / (1 + Math.exp(-sum)), classified));
}

function logOdds(share) {
  const within = Math.min(Math.max(share, 1e-6), 1 - 1e-6);
  return Math.min(Math.max(Math.log(within / (1 - within)), -SURELY), SURELY);
}

/** Return the reason for rejecting a candidate by its confidence, and which network doubts it; empty for a digit. */
function whoDoubts(sure, score, classified, threshold) {
  const reason = doubt(sure, threshold);
  const [byFinder, byClassifier] = [score < SURE_SCORE, classified < threshold];
  if (!reason || !(byFinder || byClassifier)) return reason;
  if (!byFinder) return `the classifier is not sure: ${reason}`;
  return `${byClassifier ? "neither network is sure" : "the finder is not sure"}: ${reason}`;
}

function verdictOf(boxes, sure, faults, doubts, { expect, length }) {
  const why = faults.map((fault, k) => fault || doubts[k]);
  if (expect === "one") {
    const best = likeliest(boxes, sure, faults);
    return { order: [best], why: [why[best]], note: "", lines: [0] };
  }
  const all = boxes.map((_, k) => k);
  let kept = all.filter((k) => !why[k]);
  const possible = all.filter((k) => !faults[k]);
  let note = lengthNote(kept.length, length);
  if (length !== null && possible.length >= length) {
    note = surplusNote(kept.length, length);
    kept = possible.sort((a, b) => sure[b] - sure[a] || a - b).slice(0, length);
  }
  let lines = linesOf(kept.map((k) => boxes[k])).map((line) => line.map((k) => kept[k]));
  if (expect === "number" && lines.length) lines = [lines.reduce((a, b) => (b.length > a.length ? b : a))];
  const order = lines.flat();
  const others = all.filter((k) => !order.includes(k));
  const leftOut = length ? "less likely than the others" : "on another line";
  return {
    order: [...order, ...others],
    why: [...order.map(() => ""), ...others.map((k) => why[k] || leftOut)],
    note,
    lines: [...lines.flatMap((line, number) => line.map(() => number)), ...others.map(() => lines.length)],
  };
}

/** Return the index of the one digit of a picture. */
function likeliest(boxes, sure, faults) {
  const areas = boxes.map(({ width, height }) => width * height);
  const largest = Math.max(...areas);
  const scores = boxes.map((_, k) => {
    return Math.log(Math.max(sure[k], 1e-6)) + SHARE * Math.log(areas[k] / largest) - (faults[k] ? 100 : 0);
  });
  return scores.indexOf(Math.max(...scores));
}

/** Return why ink of this shape is no digit; empty where it may be one. */
function shapeFault({ width, height }, fill) {
  if (height < SMALLEST) return "too small";
  return width >= SOLID_WIDTH * height && fill >= SOLID ? "a solid patch" : "";
}

/** Return which boxes are in a word, where letters are likelier than digits. */
function inWords(found) {
  if (found.reduce((sum, { letterScore }) => sum + letterScore, 0) < LETTERS) return found.map(() => false);
  const words = joined(found.length, pairsBeside(found));
  const evidence = found.map(() => ({ digits: 0, letters: 0 }));
  words.forEach((word, k) => {
    evidence[word].digits += found[k].score;
    evidence[word].letters += found[k].letterScore;
  });
  return Array.from(words, (word) => evidence[word].letters >= LETTERS && evidence[word].letters > evidence[word].digits);
}

/** Return the pairs of boxes, side by side, that share part of their height. */
function pairsBeside(found) {
  const pairs = [];
  found.forEach(({ box: [x, y, width, height] }, one) => {
    for (let other = one + 1; other < found.length; other++) {
      const [left, top, across, down] = found[other].box;
      const lower = Math.min(height, down);
      const gap = Math.max(x, left) - Math.min(x + width, left + across);
      const shared = Math.min(y + height, top + down) - Math.max(y, top);
      if (gap <= WORD_GAP * lower && shared >= WORD_SHARED * lower) pairs.push([one, other]);
    }
  });
  return pairs;
}
