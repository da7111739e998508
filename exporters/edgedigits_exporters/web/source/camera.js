/** The live camera. */

/** Frames are reduced to this width: a digit that is unreadable then is too far away. */
const FRAME_WIDTH = 640;

/** Messages by the name of the browser's error. */
const CAMERA_ERRORS = {
  NotAllowedError: "Camera access was denied. Allow it for this page in the browser's settings, then start the camera again.",
  NotFoundError: "No camera was found. Plug one in, or choose a picture instead.",
  OverconstrainedError: "No camera was found. Plug one in, or choose a picture instead.",
  NotReadableError: "The camera did not start; another program may be using it.",
};

export class LiveCamera {
  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onEnd  Called when the camera is disconnected.
   */
  constructor(video, onEnd) {
    this.video = video;
    this.onEnd = onEnd;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.canvas = document.createElement("canvas");
  }

  get running() {
    return this.stream !== null;
  }

  /**
   * Start the back camera of a phone, or the only camera.
   *
   * @throws {Error}  With a message for the user.
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
      throw new Error(CAMERA_ERRORS[error.name] ?? `The camera did not start: ${error.message}`);
    }
    this.stop();
    this.stream = stream;
    for (const track of stream.getTracks()) {
      track.addEventListener("ended", () => {
        if (this.stream === stream) {
          this.stop();
          this.onEnd();
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

  /** Wait for the next frame of the camera. */
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
