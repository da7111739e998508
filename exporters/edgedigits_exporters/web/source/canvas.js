/** The pad: a canvas to write on with mouse, finger or pen, or by typing digits. */

import { writeText } from "./handwriting.js";
import { PAD_RATIO, paintStroke } from "./ink.js";
import { pictureOf } from "./pad_picture.js";
import { fittingPen } from "./pen.js";

/** Points nearer than this share of the width only add the hand's tremble; smaller digits need more. */
const MIN_DISTANCE = 0.002;

/** Share of the pen's width at no pressure; half pressure, as of mice and fingers, has the whole width. */
const MIN_WIDTH = 0.6;
const MAX_TYPED = 12;
const WRITING_MS = 260;

export class DrawingPad {
  /**
   * @param {HTMLCanvasElement} canvas  Its CSS colour is the ink's.
   * @param {{onMove: () => void, onChange: () => void}} callbacks  While a stroke is drawn; after each change.
   */
  constructor(canvas, callbacks) {
    this.canvas = canvas;
    this.callbacks = callbacks;
    /** @type {import("./ink.js").Stroke[]} */
    this.strokes = [];
    this.history = [];
    this.typed = "";
    this.penWidth = null;
    this.pointer = null;
    /** Counts the points of all strokes. */
    this.changes = 0;
    this.animation = 0;
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

  /** Whether the pen is down. */
  get writing() {
    return this.pointer !== null;
  }

  get undoable() {
    return this.history.length > 0;
  }

  /** Undo the last stroke, text or clearing. */
  undo() {
    const last = this.history.pop();
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
   * Replace the content with a written text.
   *
   * @param {string} text
   * @param {{kept?: number}} [options]  The first `kept` characters appear at once; the others are animated.
   */
  write(text, { kept = 0 } = {}) {
    this.endShow();
    this.#remember();
    const characters = text ? writeText(text) : [];
    this.#show(characters.flat(), text, characters.slice(0, kept).flat().length);
  }

  /** Write a text that the next stroke or typed digit replaces, and that no undo brings back. */
  show(text) {
    this.#show(writeText(text).flat(), "", 0);
    this.shown = this.strokes;
  }

  /** Whether the text of `show` is on the pad, unchanged. */
  get showing() {
    return !this.empty && this.strokes === this.shown;
  }

  /** Take away the text of `show`. */
  endShow() {
    if (this.showing) {
      this.#show([], "");
    }
  }

  /** Return the strokes as a picture to read; see pictureOf. */
  picture() {
    return pictureOf(this.strokes);
  }

  /** Use a pen of a width, in shares of the pad's; null fits it to what is written. */
  set pen(width) {
    this.penWidth = width;
    this.paint();
  }

  /** Paint the strokes at the screen's resolution. */
  paint(strokes = this.strokes) {
    const { canvas } = this;
    const width = Math.round(canvas.clientWidth * devicePixelRatio);
    const height = Math.round(canvas.clientHeight * devicePixelRatio);
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    this.#paintOn(context, width, getComputedStyle(canvas).color, strokes);
  }

  /** Return the strokes in a colour, without a ground. */
  sketch(width, colour) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, width / PAD_RATIO];
    this.#paintOn(canvas.getContext("2d"), width, colour, this.strokes);
    return canvas;
  }

  #paintOn(context, width, colour, strokes) {
    context.strokeStyle = colour;
    // While a text is being written, its pen is that of the whole.
    const pen = this.penWidth ?? fittingPen(this.strokes);
    for (const stroke of strokes) {
      paintStroke(context, stroke, width, pen);
    }
  }

  #paintSoon() {
    cancelAnimationFrame(this.animation);
    this.animation = requestAnimationFrame(() => this.paint());
  }

  #remember() {
    this.history.push({ strokes: this.strokes, typed: this.typed });
  }

  #show(strokes, typed, visible = strokes.length) {
    [this.strokes, this.typed, this.pointer] = [strokes, typed, null];
    cancelAnimationFrame(this.animation);
    const animated = visible < strokes.length && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (animated) {
      this.#animate(visible);
    } else {
      this.paint();
    }
    this.callbacks.onChange();
  }

  /** Animate the writing of the strokes from position `from`. */
  #animate(from) {
    const points = this.strokes.slice(from).flat().length;
    const duration = Math.min(WRITING_MS * (this.strokes.length - from), 4 * WRITING_MS);
    const start = performance.now();
    const step = (now) => {
      let left = Math.ceil(points * Math.max(0, Math.min(1, (now - start) / duration)));
      const soFar = this.strokes.map((stroke, k) => {
        const part = k < from ? stroke : stroke.slice(0, left);
        left -= k < from ? 0 : part.length;
        return part;
      });
      this.paint(soFar.filter((stroke) => stroke.length));
      if (now - start < duration) {
        this.animation = requestAnimationFrame(step);
      }
    };
    step(start);
  }

  #press(event) {
    // One pointer at a time, so that the palm draws nothing.
    if (this.pointer !== null || event.button !== 0) {
      return;
    }
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    if (this.showing) {
      this.strokes = [];
    }
    this.#remember();
    [this.strokes, this.typed] = [[...this.strokes, []], ""];
    this.#add(event);
    this.#paintSoon();
    this.callbacks.onMove();
  }

  #move(event) {
    if (event.pointerId === this.pointer) {
      const since = event.getCoalescedEvents?.() ?? [];
      for (const each of since.length ? since : [event]) {
        this.#add(each);
      }
      this.#paintSoon();
      this.callbacks.onMove();
    }
  }

  #lift(event) {
    if (event.pointerId === this.pointer) {
      this.pointer = null;
      this.callbacks.onChange();
    }
  }

  #add(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure ? event.pressure : 0.5;
    const point = {
      x: (event.clientX - left) / width,
      y: (event.clientY - top) / width,
      width: MIN_WIDTH + (2 - 2 * MIN_WIDTH) * pressure,
    };
    const stroke = this.strokes.at(-1);
    const last = stroke.at(-1);
    if (!last || Math.hypot(point.x - last.x, point.y - last.y) >= MIN_DISTANCE) {
      stroke.push(point);
      this.changes += 1;
    }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (/^[0-9]$/.test(event.key) && this.typed.length < MAX_TYPED) {
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
