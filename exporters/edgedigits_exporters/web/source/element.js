/** `<edge-digits>`: a pad that reads, for any page. The exporter writes network and settings before this script. */

/* global EDGE_DIGITS */

import { localBackend } from "./backends/local.js";
import { DrawingPad } from "./canvas.js";
import { follower } from "./following.js";

/** Longer than the pause between two strokes of a 4. */
const PEN_UP_MS = 220;

const STYLE = `
:host { display: block; max-width: 30rem; font: 1rem/1.4 system-ui, sans-serif; }
canvas {
  display: block; width: 100%; aspect-ratio: 5 / 4; touch-action: none; cursor: crosshair; box-sizing: border-box;
  color: var(--edge-digits-ink, CanvasText); background: var(--edge-digits-paper, Canvas);
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: .5rem;
}
div { display: flex; justify-content: space-between; align-items: center; min-height: 2.75rem; gap: 1rem; }
output { font-size: 1.5rem; font-weight: 700; font-variant-numeric: tabular-nums; white-space: pre-wrap; }
button { font: inherit; min-height: 2.75rem; padding: 0 1rem; }
`;

/** All elements of a page share one worker. */
let backend;

class EdgeDigits extends HTMLElement {
  #output;
  #pad;
  #timer = 0;
  #newest = 0;

  connectedCallback() {
    if (this.shadowRoot) {
      return;
    }
    backend ??= localBackend(EDGE_DIGITS);
    const root = this.attachShadow({ mode: "open" });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    const canvas = document.createElement("canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", "Pad to write digits on, or to type them");
    this.#output = document.createElement("output");
    const clear = document.createElement("button");
    Object.assign(clear, { type: "button", textContent: "Clear" });
    clear.addEventListener("click", () => this.clear());
    const line = document.createElement("div");
    line.append(this.#output, clear);
    root.append(canvas, line);
    this.#pad = new DrawingPad(canvas, { onMove: () => follow(), onChange: () => this.#changed() });
    const follow = follower(this.#pad, () => this.#read(false));
  }

  /** The last text that was read. */
  get value() {
    return this.#output?.textContent ?? "";
  }

  clear() {
    this.#pad.clear();
  }

  /**
   * Read a picture.
   *
   * @param {Blob | ImageData} picture
   * @returns {Promise<object>}  The reading, of which an event tells too.
   */
  async read(picture) {
    const reading = await backend.read(picture);
    this.#tell(reading, true);
    return reading;
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#newest += 1;
    if (this.#pad.empty) {
      this.#tell({ text: "", digits: [] }, true);
    } else {
      this.#timer = setTimeout(() => this.#read(true), PEN_UP_MS);
    }
  }

  async #read(finished) {
    this.#newest += 1;
    const own = this.#newest;
    const { picture, inPad } = this.#pad.picture();
    try {
      const reading = inPad(await backend.read(picture));
      if (own === this.#newest) {
        this.#tell(reading, finished);
      }
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error.message }));
    }
  }

  #tell({ text, digits, ...reading }, finished) {
    this.#output.textContent = text;
    this.dispatchEvent(new CustomEvent("reading", { bubbles: true, composed: true, detail: { text, digits, finished, ...reading } }));
  }
}

customElements.define("edge-digits", EdgeDigits);
