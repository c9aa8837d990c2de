// People's own pictures: read once each from the box, and a bounded number kept in memory.
import { isCode } from '../api/error';
import { fileType } from '../protocol/file_type';

/** Pictures that are kept; a house has some 25 people. */
const KEPT_MAX = 100;
/** Bytes that tell what a file is. */
const HEAD_BYTES = 16;

export class Faces {
  readonly #read: (avatar: string) => Promise<Blob>;
  readonly #kept = new Map<string, Promise<Blob | null>>();

  constructor(read: (avatar: string) => Promise<Blob>) {
    this.#read = read;
  }

  /** Null: it is gone, or no picture. Rejects when the box is away. */
  picture(avatar: string): Promise<Blob | null> {
    const kept = this.#kept.get(avatar);
    if (kept !== undefined) return kept;
    const asked = this.#ask(avatar).catch((error: unknown) => {
      this.#kept.delete(avatar);
      throw error;
    });
    this.#kept.set(avatar, asked);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return asked;
  }

  async #ask(avatar: string): Promise<Blob | null> {
    try {
      const blob = await this.#read(avatar);
      const head = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer());
      const { mime, showing } = fileType(head);
      return showing === 'image' ? blob.slice(0, blob.size, mime) : null;
    } catch (error) {
      if (isCode(error, 'not_found', 'gone')) return null;
      throw error;
    }
  }
}
