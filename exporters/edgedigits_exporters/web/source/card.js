/** A card to share: the picture, the answer, and the pixels that the network took, as PNG. */

import { paintFramed } from "./framed.js";

const [WIDTH, HEIGHT, EDGE] = [1200, 630, 48];
const PICTURE = { width: 620, height: 496 };
const TILE = 80;
const MOST_TILES = 10;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

/**
 * Draw a card.
 *
 * @param {CanvasImageSource} picture
 * @param {number} ratio  Of its width to its height.
 * @param {{text: string, digits: {framed: string}[], caption: string}} reading
 * @returns {Promise<Blob>}
 */
export function cardOf(picture, ratio, { text, digits, caption }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d");
  context.fillStyle = "#f4f3ef";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  paintPicture(context, picture, ratio);
  const left = EDGE + PICTURE.width + EDGE;
  const room = WIDTH - EDGE - left;
  const below = paintAnswer(context, text, left, room) + 32;
  digits.slice(0, MOST_TILES).forEach(({ framed }, k) => {
    const across = Math.floor(room / (TILE + 8));
    const [x, y] = [left + (k % across) * (TILE + 8), below + Math.floor(k / across) * (TILE + 8)];
    const tile = document.createElement("canvas");
    tile.width = tile.height = 28;
    paintFramed(tile, framed);
    context.imageSmoothingEnabled = false;
    context.drawImage(tile, x, y, TILE, TILE);
  });
  context.fillStyle = "#5a5e66";
  context.font = `26px ${FONT}`;
  context.fillText(caption, EDGE, HEIGHT - EDGE + 8, WIDTH - 2 * EDGE);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function paintPicture(context, picture, ratio) {
  context.fillStyle = "#fffefb";
  context.fillRect(EDGE, EDGE, PICTURE.width, PICTURE.height);
  const width = Math.min(PICTURE.width, PICTURE.height * ratio);
  const height = width / ratio;
  context.drawImage(picture, EDGE + (PICTURE.width - width) / 2, EDGE + (PICTURE.height - height) / 2, width, height);
}

/** Paint the text as large as fits, and return the y below it. */
function paintAnswer(context, text, left, room) {
  const lines = text.split("\n");
  context.fillStyle = "#16181c";
  let size = Math.min(220, 280 / lines.length);
  const font = () => `700 ${size}px ${FONT}`;
  context.font = font();
  while (size > 20 && Math.max(...lines.map((line) => context.measureText(line).width)) > room) {
    size *= 0.92;
    context.font = font();
  }
  context.textBaseline = "top";
  lines.forEach((line, k) => context.fillText(line, left, EDGE + k * size * 1.1));
  context.textBaseline = "alphabetic";
  return EDGE + lines.length * size * 1.1;
}

/** Share a card where the device has a dialog for it, else download it. */
export async function share(card, name) {
  const file = new File([card], name, { type: card.type });
  if (matchMedia("(pointer: coarse)").matches && navigator.canShare?.({ files: [file] })) {
    // Closing the dialog is no error.
    await navigator.share({ files: [file] }).catch(() => {});
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(card);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
