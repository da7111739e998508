/** Reject: which candidates are digits, by the network's confidence, their shape and their neighbours. */
import { DOUBTED, doubt, lengthNote, surplusNote } from "./criteria.js";
import { median } from "./numbers.js";
import { bestOne, chosenPath } from "./segments.js";
import { shapeFaults } from "./shape.js";

// Higher than this many of the picture's digits, if there are several, it is a line or a drawing.
const LARGEST = 2.5;
const FEWEST_NEIGHBOURS = 3;

// Marks nearer than this share of the height are of one word. For letters printed farther apart, the limit is this many
// times the usual gap of the line, up to the larger share.
const WORD_GAP = 0.5;
const WORD_GAPS = 1.5;
const WIDEST_WORD_GAP = 1.2;

// If the network is unsure of more than this share of the marks of a word, the word's O, I and S are not digits.
const LETTERS = 0.5;
const FEWEST_LETTERS = 2;
const DOUBT = 0.5;

/**
 * Decide which candidates are digits.
 * @param {import("./locate.js").Layout} layout
 * @param {import("./planes.js").Plane[]} framed its candidates, 28x28 each
 * @param {number[]} sure highest confidence of each
 * @param {import("./criteria.js").Criteria} criteria
 * @returns {{order: number[], why: string[], note: string}} the reported candidates in reading order, and why each is
 *   rejected: empty for a digit
 */
export function judge(layout, framed, sure, { threshold, expect, length }) {
  const { candidates } = layout;
  if (!candidates.length) return { order: [], why: [], note: layout.note || lengthNote(0, length) };
  let faults = shapeFaults(layout, framed, sure);
  const reason = (k) => faults[k] || doubt(sure[k], threshold);
  // A single candidate has no alternative and no neighbours.
  if (candidates.length === 1 && length === null) return { order: [0], why: [reason(0)], note: "" };
  if (expect === "one") {
    const best = bestOne(layout, sure, faults.map((fault) => !fault));
    return { order: [best], why: [reason(best)], note: "" };
  }
  if (expect === "number") {
    const line = longestLine(layout, sure, faults, threshold);
    faults = faults.map((fault, k) => fault || (candidates[k].line === line ? "" : "on another line"));
  }
  const possible = faults.map((fault) => !fault);
  const path = length === null ? [] : chosenPath(layout, sure, possible, length);
  if (path.length) {
    const unlikely = (k) => faults[k] || "less likely than the others";
    const why = path.map(({ candidate, isDigit }) => (isDigit ? "" : unlikely(candidate)));
    const isMore = ({ candidate, isDigit }) => !isDigit && !reason(candidate);
    const note = surplusNote(length + path.filter(isMore).length, length);
    return { order: path.map(({ candidate }) => candidate), why, note };
  }
  const order = chosenPath(layout, sure, possible).map(({ candidate }) => candidate);
  const why = withoutLarge(order, withoutWords(order, order.map(reason), layout, sure), candidates);
  return { order, why, note: lengthNote(why.filter((each) => !each).length, length) };
}

/** Reject digits within a word of letters. */
function withoutWords(order, why, { candidates }, sure) {
  const result = [...why];
  const candidatesInOrder = order.map((k) => candidates[k]);
  // Operators are between digits: a mark rejected by its shape is not a letter.
  const mayBeLetter = why.map((reason) => !reason || reason.startsWith(DOUBTED));
  const doubted = order.map((k, place) => mayBeLetter[place] && sure[k] < DOUBT);
  for (const word of wordsOf(candidatesInOrder.map(({ box }) => box), candidatesInOrder.map(({ line }) => line))) {
    const letters = word.filter((k) => doubted[k]).length;
    if (letters >= FEWEST_LETTERS && letters > LETTERS * word.filter((k) => mayBeLetter[k]).length) {
      for (const k of word) result[k] ||= "letter among letters";
    }
  }
  return result;
}

/** Reject candidates much higher than the picture's digits. */
function withoutLarge(order, why, candidates) {
  const heights = order.map((k) => candidates[k].box.height);
  const kept = heights.filter((_, k) => !why[k]);
  if (kept.length <= FEWEST_NEIGHBOURS) return why;
  const most = LARGEST * median(kept);
  return why.map((reason, k) => reason || (heights[k] > most ? "large beside its neighbours" : ""));
}

/** Return the line with the most digits, the first of equal ones. */
function longestLine(layout, sure, faults, threshold) {
  const path = chosenPath(layout, sure, faults.map((fault) => !fault));
  const counts = new Map();
  for (const { candidate, isDigit } of path) {
    const { line } = layout.candidates[candidate];
    // NumPy compares in float32 here.
    if (isDigit && sure[candidate] >= Math.fround(threshold)) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  return Math.min(...[...counts.keys()].filter((line) => counts.get(line) === most), ...(counts.size ? [] : [0]));
}

/**
 * Return the positions of boxes, in reading order, that are as close as the letters of a word.
 * @param {import("./box.js").Box[]} boxes
 * @param {number[]} lines
 * @returns {number[][]}
 */
export function wordsOf(boxes, lines) {
  const gaps = boxes.slice(1).map((box, k) => (box.x - boxes[k].right) / Math.max(box.height, boxes[k].height));
  const found = [];
  lines.forEach((line, k) => {
    const within = gaps.filter((_, j) => lines[j] === line && lines[j + 1] === line);
    if (k && lines[k - 1] === line && gaps[k - 1] <= wordGap(within)) found[found.length - 1].push(k);
    else found.push([k]);
  });
  return found;
}

/** Return the widest gap within a word, in heights, from the gaps of its line. */
function wordGap(gaps) {
  return Math.min(Math.max(WORD_GAP, WORD_GAPS * median(gaps)), WIDEST_WORD_GAP);
}
