/** The page: sends drawings, pictures and camera frames to a backend, and displays the readings. */

import { BoxLayer } from "./boxes.js";
import { LiveCamera } from "./camera.js";
import { DrawingPad } from "./canvas.js";
import { cardOf, share } from "./card.js";
import { MIN_FRAME_MS, follower, later } from "./following.js";
import { Inside } from "./inside.js";
import { PENS } from "./pen.js";
import { PictureShelf } from "./pictures.js";
import { Results } from "./results.js";
import { NOTES, noteCanvas, notePicture } from "./sample.js";
import { Settling } from "./settling.js";
import { Tabs } from "./tabs.js";
import { plainError } from "./words.js";

/** Longer than the pause between two strokes of a 4, too short to notice. */
const PEN_UP_MS = 220;

/** The opening writes a number by itself, if nobody does, and takes it away again. */
const OPENING = { text: "2795", after: 700, stays: 6000 };

/** Width of a picture in the gallery. */
const THUMBNAIL = 112;

/** Pause after a frame that could not be read. */
const RETRY_MS = 1000;

/**
 * Start the page.
 *
 * @param {import("./backends/server.js").Backend} backend
 */
export async function start(backend) {
  const page = new DigitsPage(backend);
  await page.describeReader();
  page.open();
}

class DigitsPage {
  constructor(backend) {
    this.backend = backend;
    this.labels = [];
    /** The newest frame of the camera. @type {ImageData | null} */
    this.frame = null;
    /** The pending read; a newer one aborts it. @type {AbortController | null} */
    this.pending = null;
    this.inside = new Inside(byId, backend);
    this.results = new Results(byId, (position, candidate) => {
      this.layer.mark(position);
      this.inside.show(candidate);
    });
    this.layers = Object.fromEntries(["draw", "picture", "camera"].map((name) => (
      [name, new BoxLayer(byId(`${name}-boxes`), (position) => this.results.select(position))]
    )));
    this.tabs = new Tabs(byId("tabs"), (name) => this.#tabChanged(name));
    this.pad = new DrawingPad(byId("pad"), { onMove: () => this.#penMoved(), onChange: () => this.#padChanged() });
    this.follow = follower(this.pad, async () => this.tabs.name === "draw" && this.#readPad({ announce: false }));
    this.shelf = new PictureShelf(byId("picture"), (picture) => this.#open(picture));
    this.camera = new LiveCamera(byId("video"), () => this.#cameraEnded());
    this.#wireButtons();
    this.#padChanged();
  }

  get layer() {
    return this.layers[this.tabs.name];
  }

  /** Display the model and engine. */
  async describeReader() {
    try {
      const { model, name = model, engine, device, labels, privacy, api, bytes } = await this.backend.describe();
      this.labels = labels;
      this.results.label(labels);
      this.inside.labels = labels;
      byId("reader").textContent = `${name} · ${engine} · ${device}`;
      byId("privacy").textContent = privacy ?? "";
      if (bytes) {
        byId("lead").textContent = `${Math.round(bytes / 1000)} KB of neural network read it on your device, offline, while you write.`;
      }
      byId("api").hidden = !api;
      byId("api").href = api ?? "";
    } catch (error) {
      this.#showError(error.message);
    }
  }

  /** Write a number and read it, unless someone came first or wants no motion. */
  async open() {
    await later(OPENING.after);
    const idle = this.tabs.name === "draw" && !this.pad.undoable && this.pad.empty && !this.pad.writing;
    if (idle && !matchMedia("(prefers-reduced-motion: reduce)").matches && !byId("error").textContent) {
      this.pad.show(OPENING.text);
      await later(OPENING.stays);
      this.pad.endShow();
    }
  }

  /** The hard notes are buttons, drawn when their tab is first opened. */
  #wireGallery() {
    byId("gallery").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) {
        notePicture(NOTES[button.dataset.note]).then((picture) => this.#open(picture));
      }
    });
  }

  #fillGallery() {
    byId("gallery").replaceChildren(...NOTES.slice(1).map((note, k) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", title: note.name });
      button.dataset.note = k + 1;
      button.setAttribute("aria-label", `Read: ${note.name}`);
      const small = document.createElement("canvas");
      [small.width, small.height] = [THUMBNAIL, 0.8 * THUMBNAIL];
      small.getContext("2d").drawImage(noteCanvas(note), 0, 0, small.width, small.height);
      button.append(small);
      return button;
    }));
  }

  async #shareCard() {
    const { reading, text } = this.results;
    const pictures = {
      draw: () => [this.pad.sketch(1240, "#14203f"), 1.25],
      picture: () => [byId("picture"), byId("picture").naturalWidth / byId("picture").naturalHeight],
      camera: () => [byId("still"), byId("still").width / byId("still").height],
    };
    const [picture, ratio] = pictures[this.tabs.name]();
    const digits = reading.candidates.filter(({ kept }) => kept);
    const caption = `Read in ${byId("total").textContent} by ${reading.model}, a network of edgedigits. The small pictures are what it saw.`;
    await share(await cardOf(picture, ratio, { text, digits, caption }), `digits-${text.replaceAll("\n", "-")}.png`);
  }

  #wireButtons() {
    this.#wirePadButton("undo", () => this.pad.undo());
    this.#wirePadButton("clear", () => this.pad.clear());
    byId("pen").addEventListener("change", (event) => { this.pad.pen = PENS[event.target.value]; });
    for (const button of document.querySelectorAll("[data-write]")) {
      button.addEventListener("click", () => this.pad.write(button.dataset.write));
    }
    byId("draw-panel").addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "z") {
        event.preventDefault();
        this.pad.undo();
      }
    });
    this.shelf.watch(byId("choose"));
    this.shelf.watch(byId("take"));
    byId("sample").addEventListener("click", async () => this.#open(await notePicture(NOTES[0])));
    this.#wireGallery();
    byId("card").addEventListener("click", () => this.#shareCard());
    byId("camera-switch").addEventListener("click", () => this.#switchCamera());
    byId("fill").addEventListener("click", () => this.#fillScreen(!byId("camera-panel").classList.contains("full")));
    byId("camera-panel").addEventListener("keydown", (event) => event.key === "Escape" && this.#fillScreen(false));
  }

  /** Keep the keyboard focus when a click disables the button. */
  #wirePadButton(id, act) {
    byId(id).addEventListener("click", () => {
      act();
      if (byId(id).disabled) {
        this.pad.canvas.focus({ preventScroll: true });
      }
    });
  }

  #padChanged() {
    this.#showPadState();
    clearTimeout(this.timer);
    this.pending?.abort();
    this.#showError("");
    if (this.pad.empty) {
      this.#show(null);
    } else {
      const announce = !this.pad.showing;
      this.timer = setTimeout(() => this.#readPad({ announce }), PEN_UP_MS);
    }
  }

  #showPadState() {
    byId("pad-hint").hidden = !this.pad.empty;
    byId("clear").disabled = this.pad.empty;
    byId("undo").disabled = !this.pad.undoable;
  }

  #penMoved() {
    this.#showPadState();
    clearTimeout(this.timer);
    this.follow();
  }

  #readPad(options) {
    const { picture, inPad } = this.pad.picture();
    return this.#read(picture, { place: inPad, ...options });
  }

  /** Display a picture and read it. */
  async #open(picture) {
    this.tabs.show("picture");
    this.#showError("");
    this.#show(null);
    const displayed = this.shelf.show(picture).then((visible) => {
      const image = byId("picture");
      byId("picture-frame").classList.toggle("undisplayable", !visible);
      byId("picture-empty").hidden = true;
      byId("picture-frame").hidden = false;
      if (visible) {
        setRatio("picture-frame", image.naturalWidth, image.naturalHeight);
      }
      return visible;
    });
    const reading = await this.#read(picture);
    if (await displayed) {
      return;
    }
    if (reading) {
      setRatio("picture-frame", reading.width, reading.height);
    } else if (byId("error").textContent) {
      // Neither the browser nor the reader can decode it.
      byId("picture-frame").hidden = true;
      byId("picture-empty").hidden = false;
    }
  }

  /** Read a picture and show the reading, its boxes moved by `place`, unless a newer picture aborted it. */
  async #read(picture, { announce = true, place = (reading) => reading, settle, frame } = {}) {
    this.pending?.abort();
    const pending = new AbortController();
    this.pending = pending;
    byId("result").setAttribute("aria-busy", "true");
    const began = performance.now();
    try {
      const reading = place(await this.backend.read(picture, { signal: pending.signal }));
      if (!pending.signal.aborted) {
        this.#showError("");
        if (frame) {
          this.#showFrame(frame);
        }
        const settled = settle?.(reading.digits);
        this.#show(reading, { roundTrip: performance.now() - began, announce, settled });
        return reading;
      }
    } catch (error) {
      if (!pending.signal.aborted) {
        this.#show(null);
        this.#showError(error.message);
      }
    } finally {
      if (this.pending === pending) {
        byId("result").removeAttribute("aria-busy");
      }
    }
    return null;
  }

  #show(reading, options) {
    this.layer.show(reading, this.labels);
    const { settled } = options ?? {};
    if (settled) {
      byId("camera-answer").textContent = settled.text;
    }
    this.results.show(reading, { unfinished: this.pad.writing, ...options });
    if (settled?.isNew) {
      this.results.announce(`Read ${settled.text.replaceAll("\n", ", ")}.`);
    }
  }

  #showError(message) {
    const line = plainError(message);
    // Setting the same text would announce it again.
    if (byId("error").textContent !== line) {
      byId("error").textContent = line;
    }
  }

  /** Read the content of the tab that is now open. */
  #tabChanged(name) {
    clearTimeout(this.timer);
    this.pending?.abort();
    this.#stopCamera();
    this.#showError("");
    this.#show(null);
    if (name === "picture" && !byId("gallery").childElementCount) {
      this.#fillGallery();
    }
    if (name === "draw") {
      this.#padChanged();
    } else if (name === "picture" && this.shelf.picture) {
      this.#read(this.shelf.picture);
    } else if (name === "camera" && this.frame) {
      this.#read(this.frame);
    }
  }

  async #switchCamera() {
    if (this.camera.running) {
      this.pending?.abort();
      this.#stopCamera();
      if (this.frame) {
        this.#read(this.frame);
      }
      return;
    }
    const button = byId("camera-switch");
    button.disabled = true;
    this.#showError("");
    try {
      await this.camera.start();
    } catch (error) {
      // The stream may have started although the video did not.
      this.camera.stop();
      if (this.tabs.name === "camera") {
        this.#showError(error.message);
      }
      return;
    } finally {
      button.disabled = false;
    }
    // The user may have changed the tab while the browser asked for permission.
    if (this.tabs.name !== "camera") {
      this.camera.stop();
      return;
    }
    button.textContent = "Stop the camera";
    byId("camera-answer").textContent = "";
    byId("camera-empty").hidden = true;
    byId("camera-frame").hidden = false;
    await this.#watch(this.camera.stream);
  }

  /** Read the newest frame, one at a time; display the frame that was read, so that the boxes are on its digits. */
  async #watch(stream) {
    const settling = new Settling();
    while (this.camera.stream === stream && this.tabs.name === "camera") {
      const pause = later(MIN_FRAME_MS);
      await this.camera.newFrame();
      const frame = this.camera.stream === stream ? this.camera.frame() : null;
      if (frame) {
        const time = performance.now() / 1000;
        const reading = await this.#read(frame, { announce: false, settle: (digits) => settling.update(digits, time), frame });
        await (reading ? pause : later(RETRY_MS));
      }
    }
  }

  #showFrame(frame) {
    this.frame = frame;
    setRatio("camera-frame", frame.width, frame.height);
    const still = byId("still");
    if (still.width !== frame.width || still.height !== frame.height) {
      [still.width, still.height] = [frame.width, frame.height];
    }
    still.getContext("2d").putImageData(frame, 0, 0);
    still.hidden = false;
  }

  #fillScreen(full) {
    byId("camera-panel").classList.toggle("full", full);
    byId("fill").setAttribute("aria-pressed", String(full));
    byId("result").inert = full;
  }

  /** Stop the camera; the last frame that was read stays. */
  #stopCamera() {
    this.camera.stop();
    byId("camera-switch").textContent = "Start the camera";
    this.#fillScreen(false);
  }

  #cameraEnded() {
    this.pending?.abort();
    this.#stopCamera();
    this.#showError("The camera was disconnected. Connect it and start it again.");
  }
}

/** Set the aspect ratio of a frame. */
function setRatio(id, width, height) {
  byId(id).style.setProperty("--ratio", String(width / height));
}

function byId(id) {
  return document.getElementById(id);
}
