/** The reader: from a picture to the digits written in it, stage by stage. */
import { isBlank } from "./blank.js";
import { Picture, decodePicture } from "./decode.js";
import { FRAME_SIDE, frameDigit, framePlain, framedBox } from "./frame.js";
import { imageShape } from "../engines/tensors.js";
import { findInk } from "./ink.js";
import { locate } from "./locate.js";
import { Box } from "./marks.js";
import { cropped, makePlane } from "./planes.js";
import { SMALLEST_PROBABILITY, calibrate } from "./preprocessing.js";
import { EXPECT, belowThreshold, judge } from "./reject.js";

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
   * @param {{minConfidence?: number, topK?: number, expect?: string, length?: number | null}} [options]
   *   minConfidence: default is the contract's threshold; expect: one of EXPECT; length: number of digits, null for
   *   any
   */
  constructor(engine, contract, { minConfidence, topK = 3, expect = "auto", length = null } = {}) {
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
    const found = this.#isPlain ? this.#plain(decoded.pixels, ms) : this.#found(decoded.pixels, ms);
    const confidences = await timedAsync(ms, "invoke", () => this.#confidences(found.framed));
    const verdict = timed(ms, "reject", () => this.#judge(found, confidences));
    ms.total = Object.values(ms).reduce((sum, taken) => sum + taken, 0);
    return this.#reading(decoded, found, confidences, verdict, name ?? decoded.name, ms);
  }

  get #isPlain() {
    return this.contract.reader === "plain";
  }

  /** Return the candidates and their network inputs; `asItIs`: the picture was framed already. */
  #found(pixels, ms) {
    const ink = timed(ms, "ink", () => findInk(pixels));
    const box = framedBox(ink);
    const layout = timed(ms, "locate", () => (box ? oneCandidate(ink, box) : locate(ink, this.expect !== "page")));
    const framed = timed(ms, "frame", () => (box ? [ink] : layout.candidates.map((each) => frameDigit(each.ink))));
    return { layout, framed, asItIs: box !== null };
  }

  #plain(pixels, ms) {
    const [height, width] = imageShape(this.contract);
    const framed = timed(ms, "frame", () => [makePlane(width, height, framePlain(pixels, width, height))]);
    const box = new Box(0, 0, pixels.width, pixels.height);
    return { layout: wholeLayout(box, makePlane(0, 0), 1), framed, asItIs: true };
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

  #judge({ layout, framed, asItIs }, confidences) {
    const sure = confidences.map((each) => Math.max(...each));
    if (this.#isPlain) {
      const why = sure[0] >= this.minConfidence ? "" : belowThreshold(sure[0], this.minConfidence);
      return { order: [0], why: [why], note: "" };
    }
    const threshold = asItIs ? this.framedConfidence : this.minConfidence;
    return judge(layout, framed, sure, { threshold, expect: this.expect, length: this.length });
  }

  #reading(decoded, { layout, framed }, confidences, verdict, source, ms) {
    const candidates = verdict.order.map((k, place) => ({
      box: decoded.inSource(layout.candidates[k].box),
      framed: base64Of(framed[k].data),
      probabilities: Array.from(confidences[k]),
      kept: !verdict.why[place],
      why: verdict.why[place],
    }));
    const kept = verdict.order.filter((_, place) => !verdict.why[place]);
    const digits = kept.map((k) => this.#digit(decoded.inSource(layout.candidates[k].box), confidences[k]));
    const text = linesOfText(digits.map((digit) => digit.label), kept.map((k) => layout.candidates[k].line));
    const { name: engine, device = "cpu", providers = [engine] } = this.engine;
    const note = [decoded.note, verdict.note].filter((each) => each).join("; ");
    const { width, height } = decoded;
    const reading = { source, text, digits, model: this.contract.name, engine, device, providers, ms };
    return { ...reading, ...(note ? { note } : {}), width, height, candidates };
  }

  #digit(box, confidences) {
    const { labels } = this.contract;
    const sure = Array.from(confidences);
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

/** Return the layout of a picture that is one framed digit. */
function oneCandidate(ink, box) {
  const digit = cropped(ink, box.x, box.y, box.width, box.height);
  const fill = digit.data.filter((level) => level > 0).length / digit.data.length;
  return wholeLayout(box, digit, fill);
}

function wholeLayout(box, ink, fill) {
  const candidate = { box, ink, first: 0, last: 0, line: 0, cost: 0, cut: false, height: 1, stroke: 1, fill };
  return { candidates: [candidate], pieces: 1, side: 0, note: "" };
}

/** Return the labels with a line break between lines. */
function linesOfText(labels, lines) {
  return labels.map((label, k) => (k && lines[k] !== lines[k - 1] ? `\n${label}` : label)).join("");
}

function base64Of(bytes) {
  return btoa(String.fromCharCode(...bytes));
}
