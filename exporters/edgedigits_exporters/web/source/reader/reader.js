/** The reader: from a picture to the digits written in it, stage by stage. */
import { isBlank } from "./blank.js";
import { Picture, decodePicture } from "./decode.js";
import { framePlain } from "./frame.js";
import { imageShape } from "../engines/tensors.js";
import { Box } from "./box.js";
import { searchWithFinder } from "./by_finder.js";
import { searchByRules } from "./by_rules.js";
import { EXPECT, judgeOne } from "./criteria.js";
import { makePlane } from "./planes.js";
import { SMALLEST_PROBABILITY, calibrate } from "./preprocessing.js";

// Factor of the threshold for pictures framed like MNIST's, which hardly ever contain anything but digits.
const FRAMED = 0.6;

/**
 * Runs a model: from 784 bytes per image, ink bright on dark, to probabilities of all outputs.
 * @typedef {{name: string, device?: string, providers?: string[],
 *            run(framed: Uint8Array, count: number): Promise<Float32Array>}} PageEngine
 *
 * A candidate: its box in source pixels, the network's input as base64 by rows, its confidences, and why it was
 * rejected, empty for a digit.
 * @typedef {{box: number[], framed: string, probabilities: number[], kept: boolean, why: string}} TracedCandidate
 *
 * @typedef {{digit: number | null, label: string, confidence: number, box: number[],
 *            top: [string, number][]}} ReadDigit
 *
 * @typedef {{source: string, text: string, digits: ReadDigit[], model: string, engine: string, device: string,
 *            providers: string[], ms: Object<string, number>, note?: string, width: number, height: number,
 *            candidates: TracedCandidate[]}} TracedReading
 */

/** Reads pictures with one model. */
export class Reader {
  /**
   * @param {PageEngine} engine
   * @param {object} contract the artifact's, parsed from JSON
   * @param {{minConfidence?: number, topK?: number, expect?: string, length?: number | null,
   *          finder?: import("./find.js").FinderNetwork | null}} [options]
   *   minConfidence: default is the contract's threshold; expect: one of EXPECT; length: number of digits, null for
   *   any; finder: finds digits in pictures; without one, the ink is searched by rules
   */
  constructor(engine, contract, { minConfidence, topK = 3, expect = "auto", length = null, finder = null } = {}) {
    if (!EXPECT.includes(expect)) throw new RangeError(`expect must be one of ${EXPECT.join(", ")}; got ${expect}`);
    if (length !== null && (length < 1 || (expect === "one" && length > 1))) {
      const most = expect === "one" ? "1, the one digit that is expected" : "at least 1";
      throw new RangeError(`length must be ${most}; got ${length}; leave it out for any number of digits`);
    }
    const threshold = contract.rejection_threshold ?? 0;
    this.engine = engine;
    this.contract = contract;
    this.minConfidence = minConfidence ?? threshold;
    this.framedConfidence = minConfidence ?? FRAMED * threshold;
    this.topK = topK;
    this.expect = expect;
    this.length = length;
    this.finder = finder;
  }

  /**
   * Decode a picture and read it.
   * @param {Blob | ImageData} source
   * @param {{name?: string}} [options] name of the source in the reading
   * @returns {Promise<TracedReading>}
   * @throws {import("./errors.js").PictureError}
   */
  async read(source, options = {}) {
    const channels = this.#isPlain ? imageShape(this.contract)[2] : null;
    return this.trace(await decodePicture(source, { ...options, channels }), options);
  }

  /**
   * Read decoded pixels.
   * @param {Picture | import("./pixels.js").Pixels} picture
   * @param {{name?: string}} [options] name of the source in the reading
   * @returns {Promise<TracedReading>}
   */
  async trace(picture, { name } = {}) {
    const decoded = picture instanceof Picture ? picture : new Picture(picture);
    const ms = { decode: decoded.ms };
    const searched = this.#searched(decoded.pixels, ms);
    const [classify, judge] = this.finder ? ["classify", "judge"] : ["invoke", "reject"];
    const confidences = await timedAsync(ms, classify, () => this.#confidences(searched.framed));
    const threshold = searched.asItIs ? this.framedConfidence : this.minConfidence;
    const criteria = { threshold, expect: this.expect, length: this.length };
    const verdict = timed(ms, judge, () => searched.judge(confidences, criteria));
    ms.total = Object.values(ms).reduce((sum, taken) => sum + taken, 0);
    return this.#reading(decoded, searched, confidences, verdict, name ?? decoded.name, ms);
  }

  get #isPlain() {
    return this.contract.reader === "plain";
  }

  #searched(pixels, ms) {
    if (this.#isPlain) return this.#plain(pixels, ms);
    const stage = (name, run) => timed(ms, name, run);
    return this.finder
      ? searchWithFinder(this.finder, pixels, stage)
      : searchByRules(pixels, stage, this.expect !== "page");
  }

  #plain(pixels, ms) {
    const [height, width] = imageShape(this.contract);
    const framed = timed(ms, "frame", () => [makePlane(width, height, framePlain(pixels, width, height))]);
    const boxes = [new Box(0, 0, pixels.width, pixels.height)];
    return { boxes, framed, asItIs: false, judge: judgeOne };
  }

  async #confidences(framed) {
    if (!framed.length) return [];
    const size = framed[0].data.length;
    const together = new Uint8Array(framed.length * size);
    framed.forEach(({ data }, k) => together.set(data, k * size));
    const probabilities = await this.engine.run(together, framed.length);
    const values = probabilities.length / framed.length;
    const { labels, temperature = 1, output, output_kind: kind = "probabilities" } = this.contract;
    // Probabilities that are computed from the outputs have no step.
    const step = kind === "probabilities" || kind === "sigmoid" ? (output.scale ?? null) : null;
    return framed.map((image, k) => {
      if (!this.#isPlain && isBlank(image)) return new Float32Array(labels.length).fill(SMALLEST_PROBABILITY);
      // The output of a non-digit takes part in the softmax, and is hidden.
      return calibrate(probabilities.slice(k * values, (k + 1) * values), temperature, step).slice(0, labels.length);
    });
  }

  #reading(decoded, { boxes, framed }, confidences, verdict, source, ms) {
    const candidates = verdict.order.map((k, place) => ({
      box: decoded.inSource(boxes[k]),
      framed: base64Of(framed[k].data),
      probabilities: Array.from(confidences[k]),
      kept: !verdict.why[place],
      why: verdict.why[place],
    }));
    const places = verdict.order.map((_, place) => place).filter((place) => !verdict.why[place]);
    const digits = places.map((place) => {
      const k = verdict.order[place];
      return this.#digit(decoded.inSource(boxes[k]), confidences[k], verdict.sure?.[k]);
    });
    const text = linesOfText(digits.map((digit) => digit.label), places.map((place) => verdict.lines[place]));
    const { name: engine, device = "cpu", providers = [engine] } = this.engine;
    const note = [decoded.note, verdict.note].filter((each) => each).join("; ");
    const { width, height } = decoded;
    const reading = { source, text, digits, model: this.contract.name, engine, device, providers, ms };
    return { ...reading, ...(note ? { note } : {}), width, height, candidates };
  }

  /** Return a digit; `together`: the confidence of both networks, if there are two. */
  #digit(box, confidences, together) {
    const { labels } = this.contract;
    const factor = together === undefined ? 1 : together / Math.max(...confidences);
    const sure = Array.from(confidences, (each) => Math.min(each * factor, 1));
    const best = sure.map((_, k) => k).sort((a, b) => sure[b] - sure[a] || a - b);
    const label = labels[best[0]];
    const digit = /^[0-9]$/.test(label) ? Number(label) : null;
    const top = best.slice(0, this.topK).map((k) => [labels[k], sure[k]]);
    return { digit, label, confidence: sure[best[0]], box, top };
  }
}

function timed(ms, stage, run) {
  const start = performance.now();
  const result = run();
  ms[stage] = performance.now() - start;
  return result;
}

async function timedAsync(ms, stage, run) {
  const start = performance.now();
  const result = await run();
  ms[stage] = performance.now() - start;
  return result;
}

/** Return the labels with a line break between lines. */
function linesOfText(labels, lines) {
  return labels.map((label, k) => (k && lines[k] !== lines[k - 1] ? `\n${label}` : label)).join("");
}

function base64Of(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
