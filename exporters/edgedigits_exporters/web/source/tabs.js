/** Tabs, as the WAI-ARIA Authoring Practices describe them: one stop for Tab, arrows from one to the next. */

export class Tabs {
  /**
   * @param {HTMLElement} list  Holds the tabs; each one's aria-controls names its panel.
   * @param {(name: string) => void} chosen  Called with a tab's data-name when another one is shown.
   */
  constructor(list, chosen) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    this.chosen = chosen;
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
      const shown = tab.dataset.name === name;
      tab.setAttribute("aria-selected", String(shown));
      tab.tabIndex = shown ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !shown;
    }
    this.chosen(name);
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
