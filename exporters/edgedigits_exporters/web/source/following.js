/** Read a pad while its pen moves. */

/** Between two readings of a moving pen or a camera: reading faster than people see heats phones. */
export const MIN_FRAME_MS = 70;

/**
 * Return a function to call at each move of the pen: it reads until the pen is lifted, one reading at a time, and only
 * what has changed.
 *
 * @param {import("./canvas.js").DrawingPad} pad
 * @param {() => Promise<unknown>} read
 */
export function follower(pad, read) {
  let following = false;
  return async () => {
    if (following) {
      return;
    }
    following = true;
    let seen = -1;
    while (pad.writing) {
      const pause = later(MIN_FRAME_MS);
      if (pad.changes !== seen) {
        seen = pad.changes;
        await read();
      }
      await pause;
    }
    following = false;
  };
}

/** Wait. */
export function later(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
