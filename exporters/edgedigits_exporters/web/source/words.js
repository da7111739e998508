/** Words: what was read, and why something was not, as people say it. */

const REASONS = [
  [/^confidence (\S+) < (\S+)$/, (least, asked) => `the network is only ${percent(least)} sure, and ${percent(asked)} is needed`],
  [/^(\d+) pixels high$/, (pixels) => `only ${pixels} pixels high`],
  [/^small beside its neighbours$/, () => "much smaller than what stands beside it"],
  [/^large beside its neighbours$/, () => "much larger than the digits beside it"],
  [/^parts that stand apart$/, () => "its parts stand too far apart"],
  [/^as flat as a minus$/, () => "flat like a minus or a line"],
  [/^operator shape$/, () => "shaped like a plus or a times sign"],
  [/^a thin or faint trace$/, () => "much thinner or fainter than the rest"],
  [/^a solid patch$/, () => "a solid patch and no stroke"],
  [/^letter among letters$/, () => "a letter in a word"],
];

/**
 * Say in plain words why a candidate is no digit.
 *
 * @param {string} why  As the reader puts it.
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
 * @returns {string}  Never 100% of what is only nearly sure.
 */
export function percent(share) {
  const hundredths = Number(share) * 100;
  if (hundredths > 99.95 && hundredths < 100) {
    return "99.9%";
  }
  return `${hundredths.toFixed(hundredths < 10 || (hundredths > 90 && hundredths < 100) ? 1 : 0)}%`;
}

/**
 * Say what a reading comes to, below its text.
 *
 * @param {object} reading  A TracedReading.
 */
export function summary(reading) {
  return [gist(reading), reading.note].filter(Boolean).map((part) => `${capital(part)}.`).join(" ");
}

/** Say all of a reading in one line, for those who hear it. */
export function spoken(reading) {
  const text = reading.text ? `Read ${reading.text.replaceAll("\n", ", ")}.` : "No digit here.";
  return `${text} ${summary(reading)}`;
}

function gist({ digits, candidates }) {
  const out = candidates.filter((candidate) => !candidate.kept);
  if (digits.length === 0) {
    if (out.length === 0) {
      return "Nothing written was found";
    }
    return out.length === 1 ? plainReason(out[0].why) : `${out.length} marks, and none looks like a digit`;
  }
  const least = percent(Math.min(...digits.map((digit) => digit.confidence)));
  const sure = digits.length === 1 ? `${least} sure` : `${digits.length} digits, each at least ${least} sure`;
  return out.length ? `${sure}; ${out.length === 1 ? "one mark" : `${out.length} marks`} left out` : sure;
}

function capital(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
