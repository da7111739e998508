/** Bars: how likely the network takes each of its labels to be. */

import { likeliest } from "./boxes.js";
import { percent } from "./words.js";

/** Less than this is shown as a dash: ten figures of nearly nothing say nothing. */
const LEAST_SHOWN = 0.0005;

export class Bars {
  /** @param {HTMLOListElement} list  Its items are made here. */
  constructor(list) {
    this.list = list;
  }

  /** @param {string[]} labels  What the network tells apart, in its order. */
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
   * @param {number[] | null} probabilities  One for each label, 0..1; null empties all bars.
   * @param {boolean} kept  Whether the likeliest was read.
   */
  show(probabilities, kept) {
    const most = probabilities ? likeliest(probabilities) : -1;
    [...this.list.children].forEach((item, k) => {
      const share = probabilities?.[k] ?? 0;
      const [, track, figure] = item.children;
      track.firstChild.style.width = `${100 * share}%`;
      figure.textContent = share < LEAST_SHOWN ? "–" : percent(share);
      item.classList.toggle("likeliest", k === most);
      item.classList.toggle("refused", !kept);
    });
  }
}
