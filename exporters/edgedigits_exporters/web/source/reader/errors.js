/** Errors: what a picture can have wrong, each said in one line. */

/** A picture cannot be read. */
export class PictureError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** Not a picture, a damaged one, or of a kind that the browser does not decode. */
export class PictureUnreadable extends PictureError {}

/** Over the pixel limit. */
export class PictureTooLarge extends PictureError {}
