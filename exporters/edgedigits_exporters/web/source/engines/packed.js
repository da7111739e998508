/** Data inside the page: gzipped, in base64. */

/**
 * @param {string} text base64 of gzipped bytes
 * @returns {Promise<Uint8Array>}
 */
export async function unpacked(text) {
  const zipped = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
