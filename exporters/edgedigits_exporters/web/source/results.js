/** Results: what was read, digit by digit, what the network saw of each, and who answered. */

import { Bars } from "./bars.js";
import { likeliest } from "./boxes.js";
import { FRAMED_SIDE, paintFramed } from "./framed.js";
import { percent, plainReason, spoken, summary } from "./words.js";

/** The stages of a reading, in their order; `ms` holds their times. */
const STAGES = ["decode", "ink", "locate", "frame", "invoke", "reject"];

/** How large a text is written: with at most so many characters a line, and so many lines. */
const TEXT_SIZES = [["huge", 3, 1], ["large", 7, 1], ["medium", 16, 5]];

export class Results {
  /**
   * @param {(id: string) => HTMLElement} element
   * @param {(position: number) => void} chosen  Called with the position of the candidate that is looked at.
   */
  constructor(element, chosen) {
    this.element = element;
    this.chosen = chosen;
    this.bars = new Bars(element("bars"));
    this.labels = [];
    this.reading = null;
    this.position = 0;
    element("copy").addEventListener("click", () => this.#copy());
    element("copy").hidden = true;
    paintFramed(element("framed"), null);
  }

  /** @param {string[]} labels  What the network tells apart. */
  label(labels) {
    this.labels = labels;
    this.bars.label(labels);
  }

  /**
   * Show a reading.
   *
   * @param {object | null} reading  A TracedReading; null shows that there is none.
   * @param {{answered?: number, aloud?: boolean}} [options]  Milliseconds until the answer; whether to say it.
   */
  show(reading, { answered = 0, aloud = true } = {}) {
    const { element } = this;
    const count = reading?.candidates.length ?? 0;
    const before = this.reading?.candidates.length ?? 0;
    this.reading = reading;
    element("result").classList.toggle("blank", !reading);
    this.#showText();
    element("summary").textContent = reading ? summary(reading) : element("summary").dataset.empty;
    this.#showDigits();
    this.select(count === before ? this.position : 0);
    this.#showFacts(answered);
    element("copy").hidden = !reading?.text || !navigator.clipboard;
    element("copy").textContent = "Copy";
    if (aloud) {
      this.say(reading ? spoken(reading) : "");
    }
  }

  /** Have a line read out by screen readers. */
  say(line) {
    this.element("spoken").textContent = line;
  }

  /** Look at one candidate. */
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
    // Alone, it is told of in the summary.
    this.element("why").textContent = refused && this.reading.candidates.length > 1 ? `Not read: ${plainReason(candidate.why)}.` : "";
    const read = refused || !candidate ? "" : `, read as ${this.#label(candidate)}`;
    this.element("framed").setAttribute("aria-label", candidate ? `28 by 28 pixels${read}` : "Nothing yet");
    this.chosen(position);
  }

  #label(candidate) {
    const position = likeliest(candidate.probabilities);
    return this.labels[position] ?? String(position);
  }

  #showText() {
    const text = this.element("text");
    text.textContent = this.reading ? this.reading.text || "No digit here" : "?";
    text.dataset.size = this.reading && !this.reading.text ? "none" : textSize(text.textContent);
  }

  /** Digits are kept and changed, not made anew: whoever goes through them by keyboard keeps their place. */
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

  #showFacts(answered) {
    const { reading, element } = this;
    element("facts").hidden = !reading;
    if (!reading) {
      return;
    }
    const providers = reading.providers.join(", ");
    const engine = providers && providers !== reading.engine ? `${reading.engine} (${providers})` : reading.engine;
    element("who").textContent = `${reading.model} through ${engine} on ${reading.device}`;
    element("total").textContent = milliseconds(reading.ms.total);
    element("answered").textContent = milliseconds(answered);
    const taken = STAGES.filter((stage) => stage in reading.ms);
    element("stages").replaceChildren(...taken.map((stage) => {
      const [pair, name, time] = ["div", "dt", "dd"].map((kind) => document.createElement(kind));
      name.textContent = stage;
      time.textContent = milliseconds(reading.ms[stage]);
      pair.append(name, " ", time);
      return pair;
    }));
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.reading.text);
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
