/**
 * Settled answers of a camera: digits are followed from frame to frame and vote; an answer changes only after a new one
 * has held for a while. The same as live/tracking.py and live/settling.py, whose constants have the reasons.
 */

import { Box } from "./reader/box.js";
import { linesOf } from "./reader/order.js";

const SETTLED_READINGS = 4;
const SETTLED_SECONDS = 0.5;
const SURE = 0.7;
const LEAST_OVERLAP = 0.15;
const CONFIRMED = 3;
const FORGOTTEN_READINGS = 2;
const FORGOTTEN_SECONDS = 0.35;
const FADING = 0.8;

/** One digit over time. */
class Track {
  constructor(digit, time) {
    Object.assign(this, { seen: 0, votes: new Map(), confidence: 0, readings: 0 });
    this.vote(digit, time);
  }

  get certainty() {
    return Math.min(this.confidence / this.readings, 1);
  }

  get label() {
    return [...this.votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0];
  }

  vote(digit, time) {
    Object.assign(this, { box: digit.box, time, missed: 0 });
    this.seen += 1;
    const before = this.votes.size ? this.label : digit.label;
    for (const [label, share] of this.votes) this.votes.set(label, FADING * share);
    this.#count(digit);
    if (this.label !== before) {
      // Another digit is there now, so earlier votes no longer apply.
      this.votes.clear();
      [this.confidence, this.readings] = [0, 0];
      this.#count(digit);
    }
    this.#measure(new Map(digit.top).get(this.label) ?? 0);
  }

  miss() {
    this.missed += 1;
    this.#measure(0);
  }

  #measure(confidence) {
    this.confidence = FADING * this.confidence + confidence;
    this.readings = FADING * this.readings + 1;
  }

  #count(digit) {
    for (const [label, share] of digit.top) this.votes.set(label, (this.votes.get(label) ?? 0) + share);
  }
}

export class Settling {
  #tracks = [];
  #settled = [];
  #text = "";
  #candidate = "";
  #since = 0;
  #held = 0;

  /**
   * Add the digits of one reading.
   *
   * @param {{label: string, box: number[], top: [string, number][]}[]} digits
   * @param {number} time  Of the frame, in seconds.
   * @returns {{text: string, isNew: boolean}}  The settled text, and whether it settled just now and differs from the
   *   last one; an empty text is never new.
   */
  update(digits, time) {
    const settled = this.#settled.filter(([track, label]) => track.label === label).map(([track]) => track);
    const tracks = this.#follow(digits, time).filter((track) => track.certainty >= SURE || settled.includes(track));
    const lines = linesOf(tracks.map(({ box }) => new Box(...box))).map((line) => line.map((k) => tracks[k]));
    const text = lines.map((line) => line.map((track) => track.label).join("")).join("\n");
    if (text !== this.#candidate) {
      [this.#candidate, this.#since, this.#held] = [text, time, 0];
    }
    this.#held += 1;
    let isNew = false;
    if (this.#held >= SETTLED_READINGS && time - this.#since >= SETTLED_SECONDS) {
      isNew = text !== "" && text !== this.#text;
      [this.#text, this.#settled] = [text, lines.flat().map((track) => [track, track.label])];
    }
    return { text: this.#text, isNew };
  }

  /** Match digits to tracks, and return the confirmed tracks. */
  #follow(digits, time) {
    const pairs = this.#tracks.flatMap((track) => digits.map((digit) => [overlap(track.box, digit.box), track, digit]));
    const [matched, voted] = [new Set(), new Set()];
    for (const [share, track, digit] of pairs.sort((one, other) => other[0] - one[0])) {
      if (share >= LEAST_OVERLAP && !voted.has(track) && !matched.has(digit)) {
        track.vote(digit, time);
        voted.add(track);
        matched.add(digit);
      }
    }
    for (const track of this.#tracks) {
      if (!voted.has(track)) track.miss();
    }
    const isThere = ({ missed, time: last }) => missed < FORGOTTEN_READINGS || time - last < FORGOTTEN_SECONDS;
    const news = digits.filter((digit) => !matched.has(digit)).map((digit) => new Track(digit, time));
    this.#tracks = [...this.#tracks.filter(isThere), ...news];
    return this.#tracks.filter(({ seen }) => seen >= CONFIRMED);
  }
}

/** Return the intersection over union of two boxes. */
function overlap([x, y, width, height], [otherX, otherY, otherWidth, otherHeight]) {
  const across = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
  const down = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (width * height + otherWidth * otherHeight - across * down);
}
