/** The page: sends drawings, pictures and camera frames to a backend, and displays the readings. */

import { BoxLayer } from "./boxes.js";
import { LiveCamera } from "./camera.js";
import { DrawingPad } from "./canvas.js";
import { PENS } from "./pen.js";
import { PictureShelf } from "./pictures.js";
import { Results } from "./results.js";
import { samplePicture } from "./sample.js";
import { Tabs } from "./tabs.js";

/** Longer than the pause between two strokes of a 4, too short to notice. */
const PEN_UP_MS = 220;

/** Between two readings of a moving pen or a camera: reading faster than people see heats phones. */
const MIN_FRAME_MS = 70;

/** Pause after a frame that could not be read. */
const RETRY_MS = 1000;

/** A camera's reading is announced once it is the same for this many frames. */
const SETTLED_FRAMES = 3;

/**
 * Start the page.
 *
 * @param {import("./backends/server.js").Backend} backend
 */
export async function start(backend) {
  const page = new DigitsPage(backend);
  await page.describeReader();
}

class DigitsPage {
  constructor(backend) {
    this.backend = backend;
    this.labels = [];
    /** The newest frame of the camera. @type {ImageData | null} */
    this.frame = null;
    /** The pending read; a newer one aborts it. @type {AbortController | null} */
    this.pending = null;
    this.results = new Results(byId, (position) => this.layer.mark(position));
    this.layers = Object.fromEntries(["draw", "picture", "camera"].map((name) => (
      [name, new BoxLayer(byId(`${name}-boxes`), (position) => this.results.select(position))]
    )));
    this.tabs = new Tabs(byId("tabs"), (name) => this.#tabChanged(name));
    this.pad = new DrawingPad(byId("pad"), { onMove: () => this.#penMoved(), onChange: () => this.#padChanged() });
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
      const { model, name = model, engine, device, labels, privacy, api } = await this.backend.describe();
      this.labels = labels;
      this.results.label(labels);
      byId("reader").textContent = `${name} · ${engine} · ${device}`;
      byId("privacy").textContent = privacy ?? "";
      byId("api").hidden = !api;
      byId("api").href = api ?? "";
    } catch (error) {
      this.#showError(error.message);
    }
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
    byId("sample").addEventListener("click", async () => this.#open(await samplePicture()));
    byId("camera-switch").addEventListener("click", () => this.#switchCamera());
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
      this.timer = setTimeout(() => this.#readPad(), PEN_UP_MS);
    }
  }

  #showPadState() {
    byId("pad-hint").hidden = !this.pad.empty;
    byId("clear").disabled = this.pad.empty;
    byId("undo").disabled = !this.pad.undoable;
  }

  /** Read what is on the pad while the pen moves, one reading at a time. */
  async #penMoved() {
    this.#showPadState();
    clearTimeout(this.timer);
    if (this.following) {
      return;
    }
    this.following = true;
    while (this.pad.writing && this.tabs.name === "draw") {
      const pause = later(MIN_FRAME_MS);
      const { changes } = this.pad;
      await this.#readPad({ announce: false });
      await pause;
      while (this.pad.writing && this.pad.changes === changes) {
        await later(MIN_FRAME_MS);
      }
    }
    this.following = false;
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
  async #read(picture, { announce = true, place = (reading) => reading } = {}) {
    this.pending?.abort();
    const pending = new AbortController();
    this.pending = pending;
    byId("result").setAttribute("aria-busy", "true");
    const began = performance.now();
    try {
      const reading = place(await this.backend.read(picture, { signal: pending.signal }));
      if (!pending.signal.aborted) {
        this.#showError("");
        this.#show(reading, { roundTrip: performance.now() - began, announce });
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
    this.results.show(reading, { unfinished: this.pad.writing, ...options });
  }

  #showError(line) {
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
    byId("camera-empty").hidden = true;
    byId("camera-frame").hidden = false;
    byId("still").hidden = true;
    await this.#watch(this.camera.stream);
  }

  /** Read the newest frame, one at a time, so that no reading is of an old frame. */
  async #watch(stream) {
    let last = { text: null, times: 0, announced: null };
    while (this.camera.stream === stream && this.tabs.name === "camera") {
      const pause = later(MIN_FRAME_MS);
      await this.camera.newFrame();
      const frame = this.camera.stream === stream ? this.camera.frame() : null;
      if (frame) {
        setRatio("camera-frame", frame.width, frame.height);
        this.frame = frame;
        const reading = await this.#read(frame, { announce: false });
        last = this.#announceStable(last, reading);
        await (reading ? pause : later(RETRY_MS));
      }
    }
  }

  /** Announce the camera's reading once it stays the same. */
  #announceStable({ text, times, announced }, reading) {
    const now = reading?.text ?? text;
    const same = now === text ? times + 1 : 1;
    if (now && same >= SETTLED_FRAMES && now !== announced) {
      this.results.announce(`Read ${now.replaceAll("\n", ", ")}.`);
      return { text: now, times: same, announced: now };
    }
    return { text: now, times: same, announced };
  }

  /** Stop the camera, and display the last frame that was read. */
  #stopCamera() {
    this.camera.stop();
    byId("camera-switch").textContent = "Start the camera";
    const [still, { frame }] = [byId("still"), this];
    if (frame) {
      [still.width, still.height] = [frame.width, frame.height];
      still.getContext("2d").putImageData(frame, 0, 0);
      still.hidden = false;
    }
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

function later(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function byId(id) {
  return document.getElementById(id);
}
