// Who is signed in here: the login between reloads. Its refresh secret lies in the safe.
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Safe } from './safe';
import type { Shelf } from './shelf';

/** What is known of the person without the network. */
export interface Login {
  readonly user: {
    readonly id: Id;
    readonly name: string;
    readonly displayName: string;
    readonly role: 'owner' | 'admin' | 'member' | 'guest' | 'device' | 'bot';
    /** One's own picture's attachment. */
    readonly avatar: Id | null;
  };
  readonly house: string | null;
  /** The last vault seen, to be read without the network; a lower version is refused. */
  readonly vaultVersion: number;
  readonly vault: Uint8Array;
}

const login = s.object({
  user: s.object({
    id: s.id,
    name: s.text,
    displayName: s.text,
    role: s.oneOf('owner', 'admin', 'member', 'guest', 'device', 'bot'),
    avatar: s.optional(s.id),
  }),
  house: s.optional(s.text),
  vaultVersion: s.count,
  vault: (value, path) => {
    if (value instanceof Uint8Array) return value;
    throw new s.SchemaError(path, 'bytes');
  },
});

const KEY = 'login';
const REFRESH = 'refresh';
const WRITER = 'writer';

export class LoginStore {
  readonly #shelf: Shelf;
  readonly #safe: Safe;

  constructor(shelf: Shelf, safe: Safe) {
    this.#shelf = shelf;
    this.#safe = safe;
  }

  async read(): Promise<Login | null> {
    const value = await this.#shelf.get('meta', KEY);
    if (value === undefined) return null;
    try {
      return login(value, KEY);
    } catch {
      // Written by another version: sign in again.
      return null;
    }
  }

  write(value: Login): Promise<void> {
    return this.#shelf.write([{ put: 'meta', key: KEY, value }]);
  }

  async refresh(): Promise<string | null> {
    const bytes = await this.#safe.get(REFRESH);
    return bytes === null ? null : fromUtf8(bytes);
  }

  keepRefresh(secret: string): Promise<void> {
    return this.#safe.put(REFRESH, utf8(secret));
  }

  /** This installation's writer number, made once. */
  async writer(random: (length: number) => Uint8Array): Promise<number> {
    const kept = await this.#shelf.get('meta', WRITER);
    if (typeof kept === 'number') return kept;
    const bytes = random(4);
    const writer = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    await this.#shelf.write([{ put: 'meta', key: WRITER, value: writer }]);
    return writer;
  }

  /** Log-out: the safe's key first, then everything. */
  async forget(): Promise<void> {
    await this.#safe.wipe();
    await this.#shelf.clear();
  }
}
