/**
 * Crosses: a plus or times sign has four straight arms, a digit does not.
 *
 * On a ring around the crossing, the ink of a cross is in four places. An open 4 has four places too, but one of its
 * arms is bent; an 8 bends all of them.
 */
import { FRAME_CENTRE, FRAME_SIDE } from "./frame.js";
import { maskStrokeWidth } from "./marks.js";
import { rint } from "./numbers.js";
import { boundsOf, makePlane } from "./planes.js";

// The centre of mass of a framed digit is in the middle; the crossing is near it.
const OFFSETS = [-2, 0, 2];

// Rings, as shares of the way from the crossing to the nearest side of the ink's box.
const RINGS = [0.65, 0.85];
const ANGLES = 72;

// Grey levels from here on are strokes.
const STROKE_GREY = 96;

// Minimum angle between two arms, in degrees.
const LEAST_ANGLE = 45;

// Ink farther from the arms' middle lines than half a stroke and this many pixels of tremor belongs to no arm. A cross
// has hardly any; a crossed 7 and an open 4 have shares of 0.05 and more.
const TREMOR = 1;
const ASIDE_SHARE = 0.02;

/**
 * Return whether a framed image is a plus or times sign.
 * @param {import("./planes.js").Plane} framed 28x28
 */
export function isCross(framed) {
  const strokes = makePlane(FRAME_SIDE, FRAME_SIDE);
  for (let k = 0; k < strokes.data.length; k++) strokes.data[k] = framed.data[k] >= STROKE_GREY ? 1 : 0;
  return OFFSETS.some((y) => OFFSETS.some((x) => isCrossedAt(strokes, [FRAME_CENTRE + x, FRAME_CENTRE + y])));
}

function isCrossedAt(strokes, centre) {
  const reach = reachFrom(strokes, centre);
  const isFour = (part) => {
    const ring = ringPixels(strokes, centre, part * reach);
    return ring.filter((on, k) => on && !ring[(k + ANGLES - 1) % ANGLES]).length === 4;
  };
  if (reach < 4 || !RINGS.every(isFour)) return false;
  return isAllOnArms(strokes, centre, ringPixels(strokes, centre, RINGS[RINGS.length - 1] * reach));
}

/** Return the distance from the centre to the nearest side of the ink, at least 1. */
function reachFrom(strokes, [x, y]) {
  // Without ink, the sides are those of the frame.
  const { left, top, right, bottom } = boundsOf(strokes) ?? { left: 0, top: 0, right: FRAME_SIDE, bottom: FRAME_SIDE };
  return Math.max(Math.min(x - left, right - 1 - x, y - top, bottom - 1 - y), 1);
}

/** Return the pixels of a ring, one for each angle. */
function ringPixels(strokes, [centreX, centreY], radius) {
  const onFrame = (place) => Math.min(Math.max(rint(place), 0), FRAME_SIDE - 1);
  return Array.from({ length: ANGLES }, (_, k) => {
    const angle = k * ((2 * Math.PI) / ANGLES);
    const x = onFrame(centreX + radius * Math.cos(angle));
    const y = onFrame(centreY + radius * Math.sin(angle));
    return strokes.data[y * FRAME_SIDE + x] === 1;
  });
}

/** Return whether four straight arms through the strokes of a ring contain all ink. */
function isAllOnArms(strokes, [centreX, centreY], ring) {
  const arms = armAngles(ring);
  const apart = arms.map((arm, k) => (k < arms.length - 1 ? arms[k + 1] : arms[0] + 360) - arm);
  if (Math.min(...apart) < LEAST_ANGLE) return false;
  const turns = arms.map((arm) => arm * (Math.PI / 180)).map((arm) => [Math.cos(arm), Math.sin(arm)]);
  const most = maskStrokeWidth(strokes) / 2 + TREMOR;
  let [aside, ink] = [0, 0];
  strokes.data.forEach((own, k) => {
    if (!own) return;
    const [x, y] = [(k % FRAME_SIDE) - centreX, Math.floor(k / FRAME_SIDE) - centreY];
    const fromArms = turns.map(([cosine, sine]) => {
      return x * cosine + y * sine > 0 ? Math.abs(y * cosine - x * sine) : Math.sqrt(x * x + y * y);
    });
    ink++;
    if (Math.min(...fromArms) > most) aside++;
  });
  return aside <= ASIDE_SHARE * ink;
}

/** Return the angle of the middle of each stroke on a ring, in degrees. */
function armAngles(ring) {
  const places = ring.map((_, k) => k);
  const starts = places.filter((k) => ring[k] && !ring[(k + ANGLES - 1) % ANGLES]);
  const ends = places.filter((k) => ring[k] && !ring[(k + 1) % ANGLES]);
  if (ends[0] < starts[0]) ends.push(ends.shift());
  return starts.map((start, k) => (start + ((ends[k] - start + ANGLES) % ANGLES) / 2) * (360 / ANGLES));
}
