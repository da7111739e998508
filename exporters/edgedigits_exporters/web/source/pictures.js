/** Pictures that people bring: chosen, taken, dropped or pasted. */

export class PictureShelf {
  /**
   * @param {HTMLImageElement} image  Where the picture is shown.
   * @param {(picture: Blob) => void} brought  Called with every picture that is brought, wherever on the page.
   */
  constructor(image, brought) {
    this.image = image;
    this.brought = brought;
    /** @type {Blob | null} */
    this.picture = null;
    document.addEventListener("dragover", (event) => this.#drag(event));
    document.addEventListener("dragleave", (event) => this.#light(event.relatedTarget !== null));
    document.addEventListener("drop", (event) => this.#drop(event));
    document.addEventListener("paste", (event) => this.#take(event.clipboardData.files));
  }

  /** Take pictures from an <input type=file> too. */
  watch(input) {
    input.addEventListener("change", () => {
      this.#take(input.files);
      // So that the same picture can be chosen again.
      input.value = "";
    });
  }

  /**
   * Show a picture.
   *
   * @param {Blob} picture
   * @returns {Promise<boolean>}  Whether the browser can show it: it may be read all the same.
   */
  async show(picture) {
    this.picture = picture;
    const address = URL.createObjectURL(picture);
    this.image.src = address;
    const shown = await this.image.decode().then(() => true, () => false);
    URL.revokeObjectURL(address);
    return shown;
  }

  #take(files) {
    if (files.length) {
      this.brought(files[0]);
    }
  }

  #drag(event) {
    if (event.dataTransfer.types.includes("Files")) {
      event.preventDefault();
      this.#light(true);
    }
  }

  #drop(event) {
    if (event.dataTransfer.files.length) {
      event.preventDefault();
      this.#take(event.dataTransfer.files);
    }
    this.#light(false);
  }

  #light(on) {
    document.documentElement.classList.toggle("dropping", on);
  }
}
