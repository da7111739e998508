/** Search pictures by rules for ink, lines and shapes. */
import { frameDigit, framedBox } from "./frame.js";
import { findInk } from "./ink.js";
import { locate } from "./locate.js";
import { cropped } from "./planes.js";
import { judge } from "./reject.js";

/**
 * @param {import("./pixels.js").Pixels} pixels
 * @param {(stage: string, run: () => any) => any} timed runs a stage
 * @param {boolean} whole whether the picture may be one digit
 * @returns {import("./by_finder.js").Searched}
 */
export function searchByRules(pixels, timed, whole) {
  const ink = timed("ink", () => findInk(pixels));
  const box = framedBox(ink);
  const layout = timed("locate", () => (box ? oneCandidate(ink, box) : locate(ink, whole)));
  const framed = timed("frame", () => (box ? [ink] : layout.candidates.map((each) => frameDigit(each.ink))));
  return {
    boxes: layout.candidates.map((candidate) => candidate.box),
    framed,
    asItIs: box !== null,
    judge: (confidences, criteria) => {
      const verdict = judge(layout, framed, confidences.map((each) => Math.max(...each)), criteria);
      return { ...verdict, lines: verdict.order.map((k) => layout.candidates[k].line) };
    },
  };
}

/** Return the layout of a picture that is one framed digit. */
function oneCandidate(ink, box) {
  const digit = cropped(ink, box.x, box.y, box.width, box.height);
  const fill = digit.data.filter((level) => level > 0).length / digit.data.length;
  const sizes = { first: 0, last: 0, line: 0, cost: 0, cut: false, height: 1, stroke: 1, fill };
  return { candidates: [{ box, ink: digit, ...sizes }], pieces: 1, side: 0, note: "" };
}
