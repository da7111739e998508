/** Boxes: where in a picture something was found, laid over it. */

/** With more candidates than this their values would hide the picture. */
const MOST_TAGS = 40;

export class BoxLayer {
  /**
   * @param {HTMLElement} element  As large as the picture is shown.
   * @param {(position: number) => void} chosen  Called with a candidate's position when its box is clicked.
   */
  constructor(element, chosen) {
    this.element = element;
    this.chosen = chosen;
  }

  /**
   * Show the boxes of a reading; those of the last one go.
   *
   * @param {object | null} reading  A TracedReading; null takes all boxes away.
   * @param {string[]} [labels]  What the network tells apart.
   */
  show(reading, labels = []) {
    const candidates = reading?.candidates ?? [];
    const { element } = this;
    while (element.children.length > candidates.length) {
      element.lastChild.remove();
    }
    while (element.children.length < candidates.length) {
      this.#add(element.children.length);
    }
    const tagged = candidates.length <= MOST_TAGS;
    element.classList.toggle("crowded", !tagged);
    candidates.forEach((candidate, k) => {
      const box = element.children[k];
      placeBox(box, candidate.box, reading);
      box.classList.toggle("refused", !candidate.kept);
      const best = likeliest(candidate.probabilities);
      box.firstChild.textContent = tagged && candidate.kept ? labels[best] ?? best : "";
    });
  }

  /** Mark the box of the candidate that is looked at. */
  mark(position) {
    [...this.element.children].forEach((box, k) => box.classList.toggle("chosen", k === position));
  }

  #add(position) {
    const box = document.createElement("div");
    box.className = "box";
    box.append(document.createElement("span"));
    box.addEventListener("click", () => this.chosen(position));
    this.element.append(box);
  }
}

/** Return the position of the greatest probability. */
export function likeliest(probabilities) {
  return probabilities.indexOf(Math.max(...probabilities));
}

function placeBox(element, [x, y, width, height], reading) {
  const places = { left: x / reading.width, top: y / reading.height, width: width / reading.width, height: height / reading.height };
  for (const [side, share] of Object.entries(places)) {
    element.style[side] = `${100 * share}%`;
  }
  // Its value stands above it, and inside where there is no room.
  element.classList.toggle("topmost", places.top < 0.08);
}
