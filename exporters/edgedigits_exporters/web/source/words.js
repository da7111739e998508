/** Readings and the reasons of rejections, in words for the user. */

const REASONS = [
  [/^(?:(?:the classifier is not|neither network is) sure: )?confidence (\S+) < (\S+)$/, (found, needed) => `the network is only ${percent(found)} sure, ${percent(needed)} is needed`],
  [/^the finder is not sure: confidence \S+ < \S+$/, () => "it hardly looks like a digit"],
  [/^(\d+) pixels high$/, (pixels) => `only ${pixels} pixels high`],
  [/^small beside its neighbours$/, () => "much smaller than its neighbours"],
  [/^large beside its neighbours$/, () => "much larger than its neighbours"],
  [/^parts that stand apart$/, () => "its parts are too far apart"],
  [/^as flat as a minus$/, () => "flat like a minus or a line"],
  [/^operator shape$/, () => "shaped like a plus or a times sign"],
  [/^a thin or faint trace$/, () => "much thinner or fainter than the rest"],
  [/^a solid patch$/, () => "a solid patch, not a stroke"],
  [/^letter among letters$/, () => "a letter in a word"],
  [/^too small$/, () => "too small to read"],
];

/** What several marks with such a reason are. */
const REASONS_OF_MANY = [
  [/letter/, "they look like letters"],
  [/confidence/, "the network is not sure of them"],
  [/small|pixels high/, "they are too small"],
  [/thin or faint/, "they are too thin or faint"],
  [/solid patch/, "they are patches, not strokes"],
];

/**
 * Return the line of an error for a person at the page, who has no shell.
 *
 * @param {string} message
 */
export function plainError(message) {
  return message.replace(/convert it to PNG with: .*$/, "save it as PNG or JPEG first");
}

/**
 * Return the reason of a rejection in words for the user.
 *
 * @param {string} why  The reader's reason.
 */
export function plainReason(why) {
  for (const [pattern, words] of REASONS) {
    const found = why.match(pattern);
    if (found) {
      return words(...found.slice(1));
    }
  }
  return why;
}

/**
 * @param {number | string} share  0..1.
 * @returns {string}  100% only for exactly 1.
 */
export function percent(share) {
  const hundredths = Number(share) * 100;
  if (hundredths > 99.95 && hundredths < 100) {
    return "99.9%";
  }
  return `${hundredths.toFixed(hundredths < 10 || (hundredths > 90 && hundredths < 100) ? 1 : 0)}%`;
}

/**
 * Return the summary of a reading, shown below its text.
 *
 * @param {object} reading  A TracedReading.
 * @param {boolean} [unfinished]  Whether the pen still moves, so that nothing is refused yet.
 */
export function summary(reading, unfinished = false) {
  if (unfinished && !reading.text) {
    return "Reading while you write.";
  }
  return [resultOf(reading), reading.note].filter(Boolean).map((part) => `${capital(part)}.`).join(" ");
}

/** Return a reading in one line, for screen readers. */
export function announcement(reading) {
  const text = reading.text ? `Read ${reading.text.replaceAll("\n", ", ")}.` : "No digit here.";
  return `${text} ${summary(reading)}`;
}

function resultOf({ digits, candidates }) {
  const rejected = candidates.filter((candidate) => !candidate.kept);
  if (digits.length === 0) {
    if (rejected.length === 0) {
      return "No writing found";
    }
    return rejected.length === 1 ? plainReason(rejected[0].why) : `${rejected.length} marks left out: ${reasonOfMost(rejected)}`;
  }
  const least = percent(Math.min(...digits.map((digit) => digit.confidence)));
  const sure = digits.length === 1 ? `${least} sure` : `${digits.length} digits, each at least ${least} sure`;
  return rejected.length ? `${sure}; ${rejected.length === 1 ? "one mark" : `${rejected.length} marks`} left out` : sure;
}

/** Return what most of several rejected marks are. */
function reasonOfMost(rejected) {
  const most = REASONS_OF_MANY.find(([pattern]) => 2 * rejected.filter(({ why }) => pattern.test(why)).length > rejected.length);
  return most?.[1] ?? "each for its own reason";
}

function capital(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
