/** Pictures of the network's inputs. */

/** Width and height of a network input. */
export const FRAMED_SIDE = 28;

/**
 * Paint a framed image.
 *
 * @param {HTMLCanvasElement} canvas  28 x 28; CSS enlarges it without smoothing.
 * @param {string | null} framed  784 bytes by rows, in base64; null is black.
 */
export function paintFramed(canvas, framed) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(FRAMED_SIDE, FRAMED_SIDE);
  const ink = framed ? atob(framed) : "";
  for (let k = 0; k < FRAMED_SIDE * FRAMED_SIDE; k += 1) {
    image.data.fill(ink ? ink.charCodeAt(k) : 0, 4 * k, 4 * k + 3);
    image.data[4 * k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
