/** Tabs, by the WAI-ARIA Authoring Practices: Tab reaches the open one, arrow keys open the next. */

export class Tabs {
  /**
   * @param {HTMLElement} list  Contains the tabs; aria-controls of each names its panel.
   * @param {(name: string) => void} onOpen  Called with the data-name of a tab that is opened.
   */
  constructor(list, onOpen) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    this.onOpen = onOpen;
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.show(tab.dataset.name));
    }
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  get name() {
    return this.tabs.find((tab) => tab.getAttribute("aria-selected") === "true").dataset.name;
  }

  show(name) {
    if (name === this.name) {
      return;
    }
    for (const tab of this.tabs) {
      const open = tab.dataset.name === name;
      tab.setAttribute("aria-selected", String(open));
      tab.tabIndex = open ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !open;
    }
    this.onOpen(name);
  }

  #key(event) {
    const here = this.tabs.findIndex((tab) => tab.dataset.name === this.name);
    const last = this.tabs.length - 1;
    const next = {
      ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here === 0 ? last : here - 1, Home: 0, End: last,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      this.show(this.tabs[next].dataset.name);
      this.tabs[next].focus();
    }
  }
}
