/** Search pictures with a finder: what it boxes is cropped from the full picture and framed. */
import { Box } from "./box.js";
import { findComponents } from "./components.js";
import { cropFound } from "./crop.js";
import { judgeOne } from "./criteria.js";
import { find } from "./find.js";
import { FRAME_SIDE, frameDigit, framedBox } from "./frame.js";
import { judgeFound, mayBeDigit } from "./judge.js";
import { boundsOf, makePlane } from "./planes.js";

// Least number of outermost pixels, of 108, at the level of the first.
const EVEN_RIM = 90;
// Least share of the ink, in pixels, of the one piece that is a digit; a speck or a loose stroke may be beside it.
const CONNECTED = 0.8;

/**
 * The candidates of a picture, before they are classified.
 * @typedef {{boxes: import("./box.js").Box[], framed: import("./planes.js").Plane[], asItIs: boolean,
 *            judge(confidences: Float32Array[], criteria: import("./criteria.js").Criteria):
 *              import("./criteria.js").Verdict}} Searched asItIs: the picture was framed already
 */

/**
 * @param {import("./find.js").FinderNetwork} finder
 * @param {import("./pixels.js").Pixels} pixels
 * @param {(stage: string, run: () => any) => any} timed runs a stage
 * @returns {Searched}
 */
export function searchWithFinder(finder, pixels, timed) {
  const ink = plainInk(pixels);
  const box = ink && framedBox(ink);
  if (box) return { boxes: [box], framed: [ink], asItIs: true, judge: judgeOne };
  const one = timed("frame", () => ink && oneDigit(ink));
  if (one) return one;
  const found = timed("find", () => find(finder, pixels));
  const wanted = found.map((_, k) => k).filter((k) => mayBeDigit(found[k]));
  const crops = timed("frame", () => cropFound(pixels, found.map((each) => each.box), wanted));
  return {
    boxes: crops.map((crop) => crop.box),
    framed: crops.map((crop) => crop.framed),
    asItIs: false,
    judge: (confidences, criteria) => {
      return judgeFound(found, crops, confidences.map((each) => Math.max(...each)), criteria);
    },
  };
}

/** Return the only digit of a small picture, if nearly all its ink is connected; else null. */
function oneDigit(ink) {
  const { areas } = findComponents(ink);
  if (!areas.length || Math.max(...areas) < CONNECTED * areas.reduce((sum, area) => sum + area, 0)) return null;
  const { left, top, right, bottom } = boundsOf(ink);
  const box = new Box(left, top, right - left, bottom - top);
  return { boxes: [box], framed: [frameDigit(ink)], asItIs: false, judge: judgeOne };
}

/** Return the ink of a 28x28 picture on a ground of one level, that of nearly all outermost pixels; null for any other. */
function plainInk({ width, height, channels, data }) {
  if (width !== FRAME_SIDE || height !== FRAME_SIDE) return null;
  const levels = Uint8Array.from({ length: width * height }, (_, k) => data[k * channels]);
  if (data.some((level, k) => level !== levels[Math.floor(k / channels)])) return null;
  const isRim = (k) => k < width || k >= width * (height - 1) || k % width === 0 || k % width === width - 1;
  const [ground] = levels;
  if (levels.filter((level, k) => isRim(k) && level === ground).length < EVEN_RIM) return null;
  // On a dark ground ink is bright, and the other way round.
  return makePlane(width, height, levels.map((level) => Math.max(ground < 128 ? level - ground : ground - level, 0)));
}
