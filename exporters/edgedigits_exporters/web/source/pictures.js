/** Pictures that the user chooses, takes, drops or pastes. */

export class PictureShelf {
  /**
   * @param {HTMLImageElement} image  Displays the picture.
   * @param {(picture: Blob) => void} onPicture  Called with each picture, dropped or pasted anywhere on the page.
   */
  constructor(image, onPicture) {
    this.image = image;
    this.onPicture = onPicture;
    /** @type {Blob | null} */
    this.picture = null;
    document.addEventListener("dragover", (event) => this.#drag(event));
    document.addEventListener("dragleave", (event) => this.#highlight(event.relatedTarget !== null));
    document.addEventListener("drop", (event) => this.#drop(event));
    document.addEventListener("paste", (event) => this.#take(event.clipboardData.files));
  }

  /** Also take pictures from an <input type=file>. */
  watch(input) {
    input.addEventListener("change", () => {
      this.#take(input.files);
      // Allows choosing the same file again.
      input.value = "";
    });
  }

  /**
   * Display a picture.
   *
   * @param {Blob} picture
   * @returns {Promise<boolean>}  Whether the browser can display it.
   */
  async show(picture) {
    this.picture = picture;
    const address = URL.createObjectURL(picture);
    this.image.src = address;
    const displayed = await this.image.decode().then(() => true, () => false);
    URL.revokeObjectURL(address);
    return displayed;
  }

  #take(files) {
    if (files.length) {
      this.onPicture(files[0]);
    }
  }

  #drag(event) {
    if (event.dataTransfer.types.includes("Files")) {
      event.preventDefault();
      this.#highlight(true);
    }
  }

  #drop(event) {
    if (event.dataTransfer.files.length) {
      event.preventDefault();
      this.#take(event.dataTransfer.files);
    }
    this.#highlight(false);
  }

  #highlight(on) {
    document.documentElement.classList.toggle("dropping", on);
  }
}
