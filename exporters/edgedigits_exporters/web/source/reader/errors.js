/** Errors of pictures, each with a message of one line. */

/** A picture cannot be read. */
export class PictureError extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** Not a picture, damaged, or of a format that the browser does not decode. */
export class PictureUnreadable extends PictureError {}

/** Larger than the pixel limit. */
export class PictureTooLarge extends PictureError {}
