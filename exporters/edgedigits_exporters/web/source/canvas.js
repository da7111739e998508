/** The pad: a canvas to write on with mouse, finger or pen, or by typing digits that it writes out. */

import { writeText } from "./handwriting.js";
import { PAD_RATIO, PEN_WIDTH, paintStroke } from "./ink.js";

/** Pixels of the picture that is read: the same on every screen. */
const EXPORT_WIDTH = 400;

/** Nearer points than this part of the width only carry the hand's tremble. */
const NEAREST_POINTS = 0.004;

/** Of the pen's width at no pressure; as much is added at full pressure. Mice and fingers press by half. */
const LIGHTEST = 0.6;
const MOST_TYPED = 12;
const WRITING_MS = 260;

export class DrawingPad {
  /**
   * @param {HTMLCanvasElement} canvas  Its CSS colour is the ink.
   * @param {{began: () => void, changed: () => void}} told  When a stroke begins; when what is written has changed.
   */
  constructor(canvas, told) {
    this.canvas = canvas;
    this.told = told;
    /** @type {import("./ink.js").Stroke[]} */
    this.strokes = [];
    this.before = [];
    this.typed = "";
    this.pen = null;
    this.playing = 0;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(end, (event) => this.#lift(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.paint()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  get empty() {
    return this.strokes.length === 0;
  }

  get undoable() {
    return this.before.length > 0;
  }

  /** Take back the newest stroke, text or clearing. */
  undo() {
    const last = this.before.pop();
    if (last) {
      this.#show(last.strokes, last.typed);
    }
  }

  clear() {
    if (!this.empty) {
      this.#remember();
      this.#show([], "");
    }
  }

  /**
   * Write a text in place of what is there.
   *
   * @param {string} text
   * @param {{kept?: number}} [options]  So many of its first characters are there at once; the others are seen written.
   */
  write(text, { kept = 0 } = {}) {
    this.#remember();
    const characters = text ? writeText(text) : [];
    this.#show(characters.flat(), text, characters.slice(0, kept).flat().length);
  }

  /**
   * Return what is written, black on white and opaque.
   *
   * @returns {ImageData}  400 x 320.
   */
  picture() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [EXPORT_WIDTH, EXPORT_WIDTH / PAD_RATIO];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.strokeStyle = "#000";
    for (const stroke of this.strokes) {
      paintStroke(context, stroke, EXPORT_WIDTH);
    }
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  /** Paint all strokes, as sharp as the screen is. */
  paint(strokes = this.strokes) {
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const context = canvas.getContext("2d");
    context.strokeStyle = getComputedStyle(canvas).color;
    context.clearRect(0, 0, width, height);
    for (const stroke of strokes) {
      paintStroke(context, stroke, width);
    }
  }

  #paintSoon() {
    cancelAnimationFrame(this.playing);
    this.playing = requestAnimationFrame(() => this.paint());
  }

  #remember() {
    this.before.push({ strokes: this.strokes, typed: this.typed });
  }

  #show(strokes, typed, shown = strokes.length) {
    [this.strokes, this.typed] = [strokes, typed];
    cancelAnimationFrame(this.playing);
    const slowly = shown < strokes.length && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (slowly) {
      this.#play(shown);
    } else {
      this.paint();
    }
    this.told.changed();
  }

  /** Show the strokes from one on being written. */
  #play(from) {
    const written = this.strokes.slice(from).flat().length;
    const lasting = Math.min(WRITING_MS * (this.strokes.length - from), 4 * WRITING_MS);
    const start = performance.now();
    const step = (now) => {
      let left = Math.ceil(written * Math.max(0, Math.min(1, (now - start) / lasting)));
      const soFar = this.strokes.map((stroke, k) => {
        const part = k < from ? stroke : stroke.slice(0, left);
        left -= k < from ? 0 : part.length;
        return part;
      });
      this.paint(soFar.filter((stroke) => stroke.length));
      if (now - start < lasting) {
        this.playing = requestAnimationFrame(step);
      }
    };
    step(start);
  }

  #press(event) {
    // One pen at a time: the palm that follows it is no stroke.
    if (this.pen !== null || event.button !== 0) {
      return;
    }
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = event.pointerId;
    this.#remember();
    [this.strokes, this.typed] = [[...this.strokes, []], ""];
    this.#add(event);
    this.#paintSoon();
    this.told.began();
  }

  #move(event) {
    if (event.pointerId === this.pen) {
      const since = event.getCoalescedEvents?.() ?? [];
      for (const each of since.length ? since : [event]) {
        this.#add(each);
      }
      this.#paintSoon();
    }
  }

  #lift(event) {
    if (event.pointerId === this.pen) {
      this.pen = null;
      this.told.changed();
    }
  }

  #add(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure ? event.pressure : 0.5;
    const point = {
      x: (event.clientX - left) / width,
      y: (event.clientY - top) / width,
      width: PEN_WIDTH * (LIGHTEST + (2 - 2 * LIGHTEST) * pressure),
    };
    const stroke = this.strokes.at(-1);
    const last = stroke.at(-1);
    if (!last || Math.hypot(point.x - last.x, point.y - last.y) >= NEAREST_POINTS) {
      stroke.push(point);
    }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (/^[0-9]$/.test(event.key) && this.typed.length < MOST_TYPED) {
      this.write(this.typed + event.key, { kept: this.typed.length });
    } else if (event.key === "Backspace" && this.typed) {
      this.write(this.typed.slice(0, -1), { kept: this.typed.length - 1 });
    } else if (event.key === "Backspace") {
      this.undo();
    } else if (event.key === "Escape" || event.key === "Delete") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }
}
