/** The reading: text, digits, the network's input for each, model and times. */

import { Bars } from "./bars.js";
import { likeliest } from "./boxes.js";
import { FRAMED_SIDE, paintFramed } from "./framed.js";
import { announcement, percent, plainReason, summary } from "./words.js";

/** The keys of `ms`, in the order of the stages. */
const STAGES = ["decode", "ink", "locate", "find", "frame", "invoke", "classify", "reject", "judge"];

/** Text sizes, with the maximum of characters in a line and of lines. */
const TEXT_SIZES = [["huge", 3, 1], ["large", 7, 1], ["medium", 16, 5]];

export class Results {
  /**
   * @param {(id: string) => HTMLElement} element
   * @param {(position: number, candidate?: object) => void} onSelect  Called with the selected candidate.
   */
  constructor(element, onSelect) {
    this.element = element;
    this.onSelect = onSelect;
    this.bars = new Bars(element("bars"));
    this.labels = [];
    this.reading = null;
    this.position = 0;
    element("copy").addEventListener("click", () => this.#copy());
    element("copy").hidden = true;
    element("card").hidden = true;
    paintFramed(element("framed"), null);
  }

  /** @param {string[]} labels  In the order of the network's outputs. */
  label(labels) {
    this.labels = labels;
    this.bars.label(labels);
  }

  /**
   * Show a reading.
   *
   * @param {object | null} reading  A TracedReading; null clears the display.
   * @param {{roundTrip?: number, announce?: boolean, unfinished?: boolean, settled?: {text: string}}} [options]
   *   Milliseconds until the response; whether screen readers announce the reading; whether the pen still moves; the
   *   answer of a camera's frames, in place of that of this one.
   */
  show(reading, { roundTrip = 0, announce = true, unfinished = false, settled } = {}) {
    const { element } = this;
    const count = reading?.candidates.length ?? 0;
    const before = this.reading?.candidates.length ?? 0;
    this.reading = reading;
    element("result").classList.toggle("blank", !reading);
    element("result").classList.toggle("unfinished", unfinished);
    this.text = settled ? settled.text : reading?.text ?? "";
    const waits = unfinished || (settled && reading.text);
    this.#showText(waits ? "…" : "No digit here");
    element("summary").textContent = reading ? summary(reading, unfinished) : element("summary").dataset.empty;
    this.#showDigits();
    this.select(count === before ? this.position : 0);
    this.#showFacts(roundTrip);
    element("copy").hidden = !this.text || !navigator.clipboard;
    element("copy").textContent = "Copy";
    element("card").hidden = !this.text;
    if (announce) {
      this.announce(reading ? announcement(reading) : "");
    }
  }

  /** Let screen readers announce a line. */
  announce(line) {
    this.element("announcement").textContent = line;
  }

  /** Show the details of one candidate. */
  select(position) {
    this.position = position;
    const candidate = this.reading?.candidates[position];
    const radio = this.element("digits").querySelectorAll("input")[position];
    if (radio) {
      radio.checked = true;
    }
    paintFramed(this.element("framed"), candidate?.framed ?? null);
    this.bars.show(candidate?.probabilities ?? null, candidate?.kept ?? true);
    const refused = candidate && !candidate.kept;
    // The summary has the reason of a single candidate.
    this.element("why").textContent = refused && this.reading.candidates.length > 1 ? `Not read: ${plainReason(candidate.why)}.` : "";
    const read = refused || !candidate ? "" : `, read as ${this.#label(candidate)}`;
    this.element("framed").setAttribute("aria-label", candidate ? `28 by 28 pixels${read}` : "Nothing yet");
    this.onSelect(position, candidate);
  }

  #label(candidate) {
    const position = likeliest(candidate.probabilities);
    return this.labels[position] ?? String(position);
  }

  #showText(nothing) {
    const text = this.element("text");
    text.textContent = this.reading ? this.text || nothing : "?";
    text.dataset.size = this.reading && !this.text ? "none" : textSize(text.textContent);
  }

  /** Update the elements instead of replacing them, which would lose the keyboard focus. */
  #showDigits() {
    const list = this.element("digit-list");
    const candidates = this.reading?.candidates ?? [];
    while (list.children.length > candidates.length) {
      list.lastChild.remove();
    }
    while (list.children.length < candidates.length) {
      list.append(this.#digit(list.children.length));
    }
    candidates.forEach((candidate, k) => this.#showDigit(list.children[k], candidate));
    this.element("digits").hidden = candidates.length === 0;
  }

  #digit(position) {
    const digit = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: "digit" });
    radio.addEventListener("change", () => this.select(position));
    const picture = document.createElement("canvas");
    picture.width = picture.height = FRAMED_SIDE;
    picture.setAttribute("aria-hidden", "true");
    const value = document.createElement("b");
    const share = document.createElement("span");
    digit.append(radio, picture, value, share);
    return digit;
  }

  #showDigit(digit, candidate) {
    const [, picture, value, share] = digit.children;
    paintFramed(picture, candidate.framed);
    digit.classList.toggle("refused", !candidate.kept);
    value.textContent = candidate.kept ? this.#label(candidate) : "no";
    share.textContent = candidate.kept ? percent(Math.max(...candidate.probabilities)) : "digit";
  }

  #showFacts(roundTrip) {
    const { reading, element } = this;
    element("facts").hidden = !reading;
    if (!reading) {
      return;
    }
    const providers = reading.providers.join(", ");
    const engine = providers && providers !== reading.engine ? `${reading.engine} (${providers})` : reading.engine;
    element("model-used").textContent = `${reading.model} with ${engine} on ${reading.device}`;
    element("total").textContent = milliseconds(reading.ms.total);
    element("round-trip").textContent = milliseconds(roundTrip);
    const timed = STAGES.filter((stage) => stage in reading.ms);
    element("stages").replaceChildren(...timed.map((stage) => {
      const [pair, name, time] = ["div", "dt", "dd"].map((kind) => document.createElement(kind));
      name.textContent = stage;
      time.textContent = milliseconds(reading.ms[stage]);
      pair.append(name, " ", time);
      return pair;
    }));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      this.element("copy").textContent = "Copied";
    } catch {
      this.element("copy").textContent = "Not allowed";
    }
  }
}

function textSize(text) {
  const lines = text.split("\n");
  const longest = Math.max(...lines.map((line) => line.length));
  return TEXT_SIZES.find(([, most, rows]) => longest <= most && lines.length <= rows)?.[0] ?? "small";
}

function milliseconds(time) {
  return `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
}
