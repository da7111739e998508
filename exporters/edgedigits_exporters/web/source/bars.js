/** Bars of the probabilities of all labels. */

import { likeliest } from "./boxes.js";
import { percent } from "./words.js";

/** Smaller probabilities are shown as a dash. */
const MIN_SHOWN = 0.0005;

export class Bars {
  /** @param {HTMLOListElement} list  Empty; gets an item for each label. */
  constructor(list) {
    this.list = list;
  }

  /** @param {string[]} labels  In the order of the network's outputs. */
  label(labels) {
    this.list.replaceChildren(...labels.map((label) => {
      const item = document.createElement("li");
      for (const [kind, text] of [["label", label], ["track", ""], ["share", "–"]]) {
        const part = item.appendChild(document.createElement("span"));
        part.className = kind;
        part.textContent = text;
      }
      item.children[1].append(document.createElement("i"));
      return item;
    }));
  }

  /**
   * @param {number[] | null} probabilities  One for each label, 0..1; null empties the bars.
   * @param {boolean} kept  Whether the candidate counts as a digit.
   */
  show(probabilities, kept) {
    const most = probabilities ? likeliest(probabilities) : -1;
    [...this.list.children].forEach((item, k) => {
      const share = probabilities?.[k] ?? 0;
      const [, track, figure] = item.children;
      track.firstChild.style.width = `${100 * share}%`;
      figure.textContent = share < MIN_SHOWN ? "–" : percent(share);
      item.classList.toggle("likeliest", k === most);
      item.classList.toggle("refused", !kept);
    });
  }
}
