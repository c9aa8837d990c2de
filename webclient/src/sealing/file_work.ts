// What is done with files in a worker of their own: sealing, opening, pictures made smaller.
import type { AttachmentSeal } from '../protocol/attachment';

export interface SealedFile {
  readonly seal: AttachmentSeal;
  /** A binary age file. */
  readonly file: Blob;
}

/** A picture that was looked at. */
export interface Picture {
  /** The file to send: drawn anew without what the camera wrote into it, or as it was. */
  readonly file: Blob;
  readonly redrawn: boolean;
  readonly width: number;
  readonly height: number;
  /** At most `THUMBNAIL_BYTES_MAX`; null where none was small enough. */
  readonly thumbnail: Uint8Array | null;
}

export interface FileWork {
  /** Seals under a fresh identity, 64 KiB at a time. */
  seal(file: Blob): Promise<SealedFile>;
  /** Opens; rejects with SealingError what is damaged, another file, or too large. */
  open(seal: AttachmentSeal, file: Blob): Promise<Blob>;
  /** Null: no picture that this browser can draw. `keep`: as it is. */
  picture(file: Blob, keep: boolean): Promise<Picture | null>;
}
