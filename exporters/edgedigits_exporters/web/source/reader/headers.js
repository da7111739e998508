/** Headers: the format and size of a picture file, before any pixel is decoded. */

const FORMATS = {
  PNG: (bytes) => startsWith(bytes, "\x89PNG\r\n\x1a\n"),
  JPEG: (bytes) => startsWith(bytes, "\xff\xd8\xff"),
  GIF: (bytes) => startsWith(bytes, "GIF8"),
  BMP: (bytes) => startsWith(bytes, "BM"),
  WebP: (bytes) => startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8),
  TIFF: (bytes) => startsWith(bytes, "II*\0") || startsWith(bytes, "MM\0*"),
  PDF: (bytes) => startsWith(bytes, "%PDF"),
  AVIF: (bytes) => isBrand(bytes, ["avif", "avis"]),
  HEIC: (bytes) => isBrand(bytes, ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"]),
  SVG: (bytes) => String.fromCharCode(...bytes.subarray(0, 1024)).toLowerCase().includes("<svg"),
};

const SIZES = { PNG: pngSize, JPEG: jpegSize, GIF: gifSize, BMP: bmpSize, WebP: webpSize };

/**
 * Return the format of a file from its first bytes.
 * @param {Uint8Array} bytes
 * @returns {string | null} a key of FORMATS; null for anything else
 */
export function formatOf(bytes) {
  return Object.keys(FORMATS).find((format) => FORMATS[format](bytes)) ?? null;
}

/**
 * Return the width and height in a file's header, before rotation by EXIF.
 * @param {Uint8Array} bytes the file, or enough of its start
 * @returns {[number, number] | null} null if they are not found
 */
export function sizeInHeader(bytes) {
  const read = SIZES[formatOf(bytes)];
  if (!read) return null;
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  } catch (error) {
    // The file ends before its size; the decoder reports the error.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function startsWith(bytes, text, at = 0) {
  return [...text].every((character, k) => bytes[at + k] === character.charCodeAt(0));
}

function isBrand(bytes, brands) {
  return startsWith(bytes, "ftyp", 4) && brands.some((brand) => startsWith(bytes, brand, 8));
}

function pngSize(view) {
  return [view.getUint32(16), view.getUint32(20)];
}

function gifSize(view) {
  return [view.getUint16(6, true), view.getUint16(8, true)];
}

function bmpSize(view) {
  // A negative height means rows from top to bottom; OS/2's short header has both in 16 bits.
  if (view.getUint32(14, true) === 12) return [view.getUint16(18, true), view.getUint16(20, true)];
  return [Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))];
}

function webpSize(view) {
  const kind = String.fromCharCode(view.getUint8(12), view.getUint8(13), view.getUint8(14), view.getUint8(15));
  const threeBytes = (at) => view.getUint16(at, true) + 2 ** 16 * view.getUint8(at + 2);
  if (kind === "VP8X") return [threeBytes(24) + 1, threeBytes(27) + 1];
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1];
  }
  return kind === "VP8 " ? [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff] : null;
}

/** Find the first frame header among the segments: SOF0 to SOF15 without DHT, JPG and DAC (ITU-T T.81, B.1). */
function jpegSize(view) {
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    } else at += 2 + view.getUint16(at + 2);
  }
}
