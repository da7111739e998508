/** The live camera: started and stopped, and its newest frame. */

/** A frame is read at this width at most: a digit that cannot be read then is too far away. */
const FRAME_WIDTH = 640;

/** What a person can do about each thing that a browser says of a camera. */
const CAMERA_TROUBLES = {
  NotAllowedError: "The camera was refused. Allow it for this page in the browser's settings, then start it again.",
  NotFoundError: "No camera was found. Plug one in, or choose a picture instead.",
  OverconstrainedError: "No camera was found. Plug one in, or choose a picture instead.",
  NotReadableError: "The camera does not start; another program may be using it.",
};

export class LiveCamera {
  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} ended  Called when the camera went away by itself.
   */
  constructor(video, ended) {
    this.video = video;
    this.ended = ended;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.canvas = document.createElement("canvas");
  }

  get running() {
    return this.stream !== null;
  }

  /**
   * Start the camera that faces away from a phone's holder, or the only one.
   *
   * @throws {Error}  With one line that says what to do.
   */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("A live camera needs https or localhost. Take or choose a picture instead.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      throw new Error(CAMERA_TROUBLES[error.name] ?? `The camera does not start: ${error.message}`);
    }
    this.stop();
    this.stream = stream;
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => {
        if (this.stream === stream) {
          this.stop();
          this.ended();
        }
      });
    }
    this.video.srcObject = stream;
    await this.video.play();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.stop();
    }
    this.stream = null;
    this.video.srcObject = null;
  }

  /** Wait until the camera has given a frame that was not there before. */
  newFrame() {
    return new Promise((resolve) => {
      if (this.video.requestVideoFrameCallback) {
        this.video.requestVideoFrameCallback(resolve);
      } else {
        requestAnimationFrame(resolve);
      }
    });
  }

  /**
   * Return the newest frame.
   *
   * @returns {ImageData | null}  At most 640 pixels wide; null before the first.
   */
  frame() {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth) {
      return null;
    }
    const scale = Math.min(1, FRAME_WIDTH / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      [this.canvas.width, this.canvas.height] = [width, height];
    }
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.video, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}
