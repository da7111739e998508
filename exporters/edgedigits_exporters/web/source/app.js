/** The page: what is drawn, brought or seen by the camera goes to a backend, and what it reads is shown. */

import { BoxLayer } from "./boxes.js";
import { LiveCamera } from "./camera.js";
import { DrawingPad } from "./canvas.js";
import { PictureShelf } from "./pictures.js";
import { Results } from "./results.js";
import { samplePicture } from "./sample.js";
import { Tabs } from "./tabs.js";

/** Nobody writes the second stroke of a 4 sooner after the first, and nobody notices the wait. */
const PEN_UP_MS = 220;

/** Between two frames of the camera: reading faster than people see warms phones. */
const LEAST_FRAME_MS = 70;

/** Until the next frame is tried after one that could not be read. */
const AFTER_TROUBLE_MS = 1000;

/** A camera's answer is said aloud once it has been the same for so many frames. */
const SETTLED_FRAMES = 3;

/**
 * Wire the page to what reads.
 *
 * @param {import("./backends/server.js").Backend} backend
 */
export async function start(backend) {
  const page = new DigitsPage(backend);
  await page.introduce();
}

class DigitsPage {
  constructor(backend) {
    this.backend = backend;
    this.labels = [];
    /** The newest frame of the camera. @type {ImageData | null} */
    this.frame = null;
    /** The reading that is waited for; a newer one takes its place. */
    this.waiting = null;
    this.results = new Results(byId, (position) => this.layer.mark(position));
    this.layers = Object.fromEntries(["draw", "picture", "camera"].map((name) => (
      [name, new BoxLayer(byId(`${name}-boxes`), (position) => this.results.select(position))]
    )));
    this.tabs = new Tabs(byId("tabs"), (name) => this.#turnTo(name));
    this.pad = new DrawingPad(byId("pad"), { began: () => this.#hold(), changed: () => this.#padChanged() });
    this.shelf = new PictureShelf(byId("picture"), (picture) => this.#bring(picture));
    this.camera = new LiveCamera(byId("video"), () => this.#cameraEnded());
    this.#wireButtons();
    this.#padChanged();
  }

  get layer() {
    return this.layers[this.tabs.name];
  }

  /** Say who reads. */
  async introduce() {
    try {
      const { model, name = model, engine, device, labels, privacy, api } = await this.backend.describe();
      this.labels = labels;
      this.results.label(labels);
      byId("reader").textContent = `${name} · ${engine} · ${device}`;
      byId("privacy").textContent = privacy ?? "";
      byId("api").hidden = !api;
      byId("api").href = api ?? "";
    } catch (error) {
      this.#trouble(error.message);
    }
  }

  #wireButtons() {
    this.#wirePadButton("undo", () => this.pad.undo());
    this.#wirePadButton("clear", () => this.pad.clear());
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
    byId("sample").addEventListener("click", async () => this.#bring(await samplePicture()));
    byId("camera-switch").addEventListener("click", () => this.#switchCamera());
  }

  /** A button that is no longer of use must not take the keyboard's place on the page with it. */
  #wirePadButton(id, act) {
    byId(id).addEventListener("click", () => {
      act();
      if (byId(id).disabled) {
        this.pad.canvas.focus({ preventScroll: true });
      }
    });
  }

  #padChanged() {
    byId("pad-hint").hidden = !this.pad.empty;
    byId("clear").disabled = this.pad.empty;
    byId("undo").disabled = !this.pad.undoable;
    this.#hold();
    this.#trouble("");
    if (this.pad.empty) {
      this.#show(null);
    } else {
      this.timer = setTimeout(() => this.#read(this.pad.picture()), PEN_UP_MS);
    }
  }

  /** Wait for what is being written: neither read it yet, nor show the boxes of what it was. */
  #hold() {
    clearTimeout(this.timer);
    this.waiting?.abort();
    byId("pad-hint").hidden = !this.pad.empty;
    this.layers.draw.element.classList.add("stale");
  }

  async #bring(picture) {
    this.tabs.show("picture");
    this.#trouble("");
    this.#show(null);
    const shown = this.shelf.show(picture).then((visible) => {
      const image = byId("picture");
      byId("picture-frame").classList.toggle("unseen", !visible);
      byId("picture-empty").hidden = true;
      byId("picture-frame").hidden = false;
      if (visible) {
        setRatio("picture-frame", image.naturalWidth, image.naturalHeight);
      }
      return visible;
    });
    const reading = await this.#read(picture);
    if (await shown) {
      return;
    }
    if (reading) {
      setRatio("picture-frame", reading.width, reading.height);
    } else if (byId("trouble").textContent) {
      // Neither the browser nor the reader knows it: there is no picture to say more of.
      byId("picture-frame").hidden = true;
      byId("picture-empty").hidden = false;
    }
  }

  /** Read a picture, and show what comes of it unless a newer one has come. */
  async #read(picture, { aloud = true } = {}) {
    this.waiting?.abort();
    const waiting = new AbortController();
    this.waiting = waiting;
    byId("result").setAttribute("aria-busy", "true");
    const began = performance.now();
    try {
      const reading = await this.backend.read(picture, { signal: waiting.signal });
      if (!waiting.signal.aborted) {
        this.#trouble("");
        this.#show(reading, { answered: performance.now() - began, aloud });
        return reading;
      }
    } catch (error) {
      if (!waiting.signal.aborted) {
        this.#show(null);
        this.#trouble(error.message);
      }
    } finally {
      if (this.waiting === waiting) {
        byId("result").removeAttribute("aria-busy");
      }
    }
    return null;
  }

  #show(reading, options) {
    this.layer.element.classList.remove("stale");
    this.layer.show(reading, this.labels);
    this.results.show(reading, options);
  }

  #trouble(line) {
    // What is there already is not said again.
    if (byId("trouble").textContent !== line) {
      byId("trouble").textContent = line;
    }
  }

  /** Another tab is shown: read what it holds. */
  #turnTo(name) {
    clearTimeout(this.timer);
    this.waiting?.abort();
    this.#stopCamera();
    this.#trouble("");
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
      this.waiting?.abort();
      this.#stopCamera();
      if (this.frame) {
        this.#read(this.frame);
      }
      return;
    }
    const button = byId("camera-switch");
    button.disabled = true;
    this.#trouble("");
    try {
      await this.camera.start();
    } catch (error) {
      // It may have begun, and not be shown.
      this.camera.stop();
      if (this.tabs.name === "camera") {
        this.#trouble(error.message);
      }
      return;
    } finally {
      button.disabled = false;
    }
    // While the browser asked for permission, another tab may have been turned to.
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

  /** Read the newest frame again and again, one at a time, so that an answer is never of an old one. */
  async #watch(stream) {
    let last = { text: null, times: 0, said: null };
    while (this.camera.stream === stream && this.tabs.name === "camera") {
      const pause = later(LEAST_FRAME_MS);
      await this.camera.newFrame();
      const frame = this.camera.stream === stream ? this.camera.frame() : null;
      if (frame) {
        setRatio("camera-frame", frame.width, frame.height);
        this.frame = frame;
        const reading = await this.#read(frame, { aloud: false });
        last = this.#settle(last, reading);
        await (reading ? pause : later(AFTER_TROUBLE_MS));
      }
    }
  }

  /** Say what the camera shows once it stays the same. */
  #settle({ text, times, said }, reading) {
    const now = reading?.text ?? text;
    const same = now === text ? times + 1 : 1;
    if (now && same >= SETTLED_FRAMES && now !== said) {
      this.results.say(`Read ${now.replaceAll("\n", ", ")}.`);
      return { text: now, times: same, said: now };
    }
    return { text: now, times: same, said };
  }

  /** Stop the camera; the last frame that was read stays to be looked at. */
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
    this.waiting?.abort();
    this.#stopCamera();
    this.#trouble("The camera was unplugged or taken away. Start it again when it is back.");
  }
}

/** Give a frame the shape of its picture. */
function setRatio(id, width, height) {
  byId(id).style.setProperty("--ratio", String(width / height));
}

function later(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function byId(id) {
  return document.getElementById(id);
}
