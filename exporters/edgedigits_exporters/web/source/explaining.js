/** Why a network answers as it does, and what others answer: it is asked again, about changed or the same pixels. */

const SIDE = 28;

/** Sides of the squares that are erased; larger ones only if smaller ones change nothing. */
const ERASED = [5, 7, 9];
const LEAST_DROP = 0.05;

/** Runs timed together, since a browser's clock is coarse, and milliseconds of timing, of which the best counts. */
const TIMED_RUNS = 10;
const TIMED_MS = 60;

/**
 * Explain an answer by occlusion: erase each square of the ink and measure how much less probable the answer gets
 * (Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014).
 *
 * @param {import("./engines/wasm.js").Engine} engine
 * @param {Uint8Array} framed  28x28, by rows.
 * @returns {Promise<{heat: Float32Array, answer: number, other: number, turn: {x: number, y: number, side: number,
 *   answer: number} | null}>}  heat: mean drop of the answer's probability at each pixel; answer, other: positions of
 *   the answer and of the nearest other one; turn: a square without which the answer is another.
 */
export async function explain(engine, framed) {
  const sure = await engine.run(framed, 1);
  const answer = greatest(sure);
  let found;
  for (const side of ERASED) {
    found = await erased(engine, framed, sure, side);
    if (found.turn || Math.max(...found.heat) > LEAST_DROP) {
      break;
    }
  }
  return { ...found, answer, other: found.turn?.answer ?? greatest(found.others) };
}

async function erased(engine, framed, sure, side) {
  const answer = greatest(sure);
  const squares = squaresWithInk(framed, side);
  const changed = new Uint8Array(squares.length * framed.length);
  squares.forEach((square, k) => changed.set(without(framed, square, side), k * framed.length));
  const shares = await engine.run(changed, squares.length);
  const size = sure.length;
  const [sums, counts, others] = [new Float32Array(framed.length), new Float32Array(framed.length), Float32Array.from(sure)];
  let turn = null;
  let least = sure[answer];
  squares.forEach(({ x, y }, k) => {
    const row = shares.subarray(k * size, (k + 1) * size);
    row.forEach((share, label) => { others[label] += share; });
    const drop = sure[answer] - row[answer];
    for (const at of pixelsOf(x, y, side)) {
      sums[at] += drop;
      counts[at] += 1;
    }
    const now = greatest(row);
    if (now !== answer && row[answer] < least) {
      least = row[answer];
      turn = { x, y, side, answer: now };
    }
  });
  others[answer] = -1;
  return { heat: sums.map((sum, at) => (counts[at] ? sum / counts[at] : 0)), others, turn };
}

function squaresWithInk(framed, side) {
  const squares = [];
  for (let y = 0; y <= SIDE - side; y += 1) {
    for (let x = 0; x <= SIDE - side; x += 1) {
      if (pixelsOf(x, y, side).some((at) => framed[at] > 127)) {
        squares.push({ x, y });
      }
    }
  }
  return squares;
}

function without(framed, { x, y }, side) {
  const copy = framed.slice();
  for (const at of pixelsOf(x, y, side)) {
    copy[at] = 0;
  }
  return copy;
}

function pixelsOf(x, y, side) {
  return Array.from({ length: side * side }, (_, k) => (y + Math.floor(k / side)) * SIDE + x + (k % side));
}

/**
 * Ask several networks about the same digit, and measure how long each takes.
 *
 * @param {{engine: import("./engines/wasm.js").Engine, name: string, bytes: number}[]} networks
 * @param {Uint8Array} framed
 */
export async function compare(networks, framed) {
  const rows = [];
  for (const { engine, name, bytes } of networks) {
    const shares = await engine.run(framed, 1);
    const answer = greatest(shares);
    const together = new Uint8Array(TIMED_RUNS * framed.length);
    for (let k = 0; k < TIMED_RUNS; k += 1) together.set(framed, k * framed.length);
    let best = Infinity;
    for (const end = performance.now() + TIMED_MS; performance.now() < end;) {
      const start = performance.now();
      await engine.invoke(together, TIMED_RUNS);
      best = Math.min(best, performance.now() - start);
    }
    rows.push({ name, bytes, answer, share: shares[answer], microseconds: (1000 * best) / TIMED_RUNS });
  }
  return rows;
}

function greatest(values) {
  return values.indexOf(Math.max(...values));
}
