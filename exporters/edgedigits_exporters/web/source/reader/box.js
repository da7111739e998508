/** Box: a rectangle in pixels. */

/** A rectangle in pixels; x and y are its top left pixel. */
export class Box {
  /**
   * @param {number} x
   * @param {number} y
   * @param {number} width
   * @param {number} height
   */
  constructor(x, y, width, height) {
    this.x = x;
    this.y = y;
    this.width = width;
    this.height = height;
  }

  get right() {
    return this.x + this.width;
  }

  get bottom() {
    return this.y + this.height;
  }

  /** The centre, x and y. */
  get middle() {
    return [this.x + this.width / 2, this.y + this.height / 2];
  }
}
