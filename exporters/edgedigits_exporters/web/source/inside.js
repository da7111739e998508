/** What happens in the network: layers, reasons and other networks. Nothing is computed for a closed panel. */

import { percent } from "./words.js";

const SIDE = 28;

const LAYERS = {
  CONV_2D: "convolution", DEPTHWISE_CONV_2D: "depthwise convolution", SEPARABLE: "depthwise and 1×1 convolution",
  MAX_POOL_2D: "largest of each square", AVERAGE_POOL_2D: "mean of each square", MEAN: "mean of each map",
  FULLY_CONNECTED: "fully connected", SOFTMAX: "probabilities", LOGISTIC: "probabilities", ADD: "sum",
};

/** Colours from the smallest value of a layer to its largest. */
const COLOURS = [[13, 18, 43], [53, 97, 230], [255, 244, 200]];
const [HOT, COLD] = [[255, 120, 40], [70, 130, 255]];

export class Inside {
  /**
   * @param {(id: string) => HTMLElement} element
   * @param {import("./backends/server.js").Backend} backend
   */
  constructor(element, backend) {
    this.element = element;
    this.backend = backend;
    this.labels = [];
    this.digit = null;
    this.panels = { look: (framed) => this.#look(framed), explain: (framed) => this.#explain(framed), compare: (framed) => this.#compare(framed) };
    for (const name of Object.keys(this.panels)) {
      element(name).addEventListener("toggle", () => this.#update(name));
    }
  }

  /**
   * Show the insides for a candidate of a reading.
   *
   * @param {object | undefined} candidate
   */
  show(candidate) {
    this.digit = candidate ? Uint8Array.from(atob(candidate.framed), (character) => character.charCodeAt(0)) : null;
    for (const name of Object.keys(this.panels)) {
      this.element(name).hidden = !candidate || !this.backend[name];
      this.#update(name);
    }
  }

  async #update(name) {
    const { digit } = this;
    if (!digit || !this.element(name).open || this.element(name).hidden) {
      return;
    }
    try {
      await this.panels[name](digit);
    } catch (error) {
      this.element(`${name}-words`).textContent = error.message;
    }
  }

  async #look(framed) {
    const layers = await this.backend.look(framed);
    if (framed !== this.digit) {
      return;
    }
    const list = this.element("layers");
    list.replaceChildren(...layers.map(({ name, shape, data }) => {
      const item = document.createElement("li");
      const [height, width, channels] = shape;
      const title = document.createElement("span");
      title.textContent = `${LAYERS[name] ?? name.toLowerCase()} · ${height}×${width}×${channels}`;
      item.append(title, montage(data, shape));
      return item;
    }));
    const bytes = layers.reduce((sum, { data }) => sum + data.length, 0);
    this.element("look-words").textContent = `${layers.length} layers, ${bytes.toLocaleString("en")} values of one byte (int8), from the network itself. Bright is strong.`;
  }

  async #explain(framed) {
    const { heat, answer, other, turn } = await this.backend.explain(framed);
    if (framed !== this.digit) {
      return;
    }
    paintHeat(this.element("heat"), framed, heat, turn);
    const [is, would] = [answer, other].map((position) => this.labels[position] ?? "non-digit");
    this.element("explain-words").textContent = turn
      ? `What speaks for ${is} glows. Without the part in the frame it would be read as ${would}.`
      : `What speaks for ${is} glows. No erased part of the ink makes it another; the nearest is ${would}.`;
  }

  async #compare(framed) {
    const rows = await this.backend.compare(framed);
    if (framed !== this.digit) {
      return;
    }
    this.element("compared").replaceChildren(...rows.map(({ name, bytes, answer, share, microseconds }) => {
      const row = document.createElement("tr");
      const values = [this.labels[answer] ?? "none", percent(share), `${Math.round(bytes / 1000)} KB`, `${Math.round(microseconds)} µs`];
      for (const [k, value] of [name, ...values].entries()) {
        const cell = document.createElement(k ? "td" : "th");
        if (!k) cell.scope = "row";
        cell.textContent = value;
        row.append(cell);
      }
      return row;
    }));
  }
}

/** Return a canvas with the maps of all channels side by side. */
function montage(data, [height, width, channels]) {
  const columns = height === 1 && width === 1 ? channels : Math.min(channels, Math.max(8, Math.floor(224 / (width + 1))));
  const rows = Math.ceil(channels / columns);
  const canvas = document.createElement("canvas");
  const gap = height === 1 ? 0 : 1;
  [canvas.width, canvas.height] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  canvas.setAttribute("aria-hidden", "true");
  canvas.classList.toggle("vector", height === 1);
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  let [least, most] = [255, 0];
  for (const value of data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  for (let at = 0; at < data.length; at += 1) {
    const channel = at % channels;
    const pixel = Math.floor(at / channels);
    const x = (channel % columns) * (width + gap) + (pixel % width);
    const y = Math.floor(channel / columns) * (height + gap) + Math.floor(pixel / width);
    paintPixel(image, y * canvas.width + x, colourOf((data[at] - least) / (most - least || 1)));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function colourOf(share) {
  const step = Math.min(Math.floor(2 * share), 1);
  return mixed(COLOURS[step], COLOURS[step + 1], 2 * share - step);
}

function paintHeat(canvas, framed, heat, turn) {
  const context = canvas.getContext("2d");
  const small = document.createElement("canvas");
  small.width = small.height = SIDE;
  const image = context.createImageData(SIDE, SIDE);
  const most = Math.max(...heat.map(Math.abs)) || 1;
  framed.forEach((ink, at) => {
    const share = Math.min(1, Math.abs(heat[at]) / most);
    const colour = mixed([150, 150, 150], heat[at] > 0 ? HOT : COLD, share);
    // The ground glows a little where erasing changes the answer.
    paintPixel(image, at, mixed([0, 0, 0], colour, Math.max(ink / 255, 0.25 * share)));
  });
  small.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (turn) {
    const scale = canvas.width / SIDE;
    context.strokeStyle = "#fff";
    context.lineWidth = 3;
    context.strokeRect(turn.x * scale, turn.y * scale, turn.side * scale, turn.side * scale);
  }
}

function mixed(one, other, share) {
  return one.map((value, k) => value + (other[k] - value) * share);
}

function paintPixel(image, at, colour) {
  image.data.set([...colour, 255], 4 * at);
}
