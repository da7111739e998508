/** Boxes of the candidates, over the picture. */

/** With more candidates, their values would hide the picture. */
const MAX_TAGS = 40;

export class BoxLayer {
  /**
   * @param {HTMLElement} element  Covers the displayed picture.
   * @param {(position: number) => void} onSelect  Called with a candidate's position when its box is clicked.
   */
  constructor(element, onSelect) {
    this.element = element;
    this.onSelect = onSelect;
  }

  /**
   * Show the boxes of a reading in place of the last one's.
   *
   * @param {object | null} reading  A TracedReading; null removes all boxes.
   * @param {string[]} [labels]  In the order of the network's outputs.
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
    const tagged = candidates.length <= MAX_TAGS;
    element.classList.toggle("crowded", !tagged);
    candidates.forEach((candidate, k) => {
      const box = element.children[k];
      placeBox(box, candidate.box, reading);
      box.classList.toggle("refused", !candidate.kept);
      const best = likeliest(candidate.probabilities);
      box.firstChild.textContent = tagged && candidate.kept ? labels[best] ?? best : "";
    });
  }

  /** Mark the box of the selected candidate. */
  mark(position) {
    [...this.element.children].forEach((box, k) => box.classList.toggle("chosen", k === position));
  }

  #add(position) {
    const box = document.createElement("div");
    box.className = "box";
    box.append(document.createElement("span"));
    box.addEventListener("click", () => this.onSelect(position));
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
  // The value is above the box, or inside it near the top edge.
  element.classList.toggle("topmost", places.top < 0.08);
}
