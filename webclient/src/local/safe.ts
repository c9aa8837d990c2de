// A safe for secrets between reloads: AES-GCM under a key that WebCrypto does not give out (§2).
import { concat, utf8 } from '../protocol/bytes';
import type { Shelf } from './shelf';

/** Seals, opens, and keeps by name. Log-out wipes the key first. */
export interface Safe {
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Uint8Array | null>;
  seal(bytes: Uint8Array): Promise<Uint8Array>;
  /** Null: sealed under a key that is gone, or altered. */
  open(sealed: Uint8Array): Promise<Uint8Array | null>;
  wipe(): Promise<void>;
}

const KEY = 'key';
const IV = 12;
const AAD = new Uint8Array(utf8('hearth/v1/local-safe'));

/** A safe on a shelf; without WebCrypto it keeps in memory only. */
export function openSafe(shelf: Shelf): Safe {
  const subtle: SubtleCrypto | undefined = globalThis.crypto.subtle;
  let held: Promise<CryptoKey> | null = null;
  const makeKey = async (): Promise<CryptoKey> => {
    const kept = await shelf.get('safe', KEY);
    if (kept instanceof CryptoKey) return kept;
    const made = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    await shelf.write([{ put: 'safe', key: KEY, value: made }]);
    const first = await shelf.get('safe', KEY);
    return first instanceof CryptoKey ? first : made;
  };
  const key = (): Promise<CryptoKey> => (held ??= makeKey());

  const seal = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const iv = crypto.getRandomValues(new Uint8Array(IV));
    const algorithm = { name: 'AES-GCM', iv, additionalData: AAD };
    return concat(
      iv,
      new Uint8Array(await subtle.encrypt(algorithm, await key(), new Uint8Array(bytes))),
    );
  };
  const open = async (sealed: Uint8Array): Promise<Uint8Array | null> => {
    const iv = new Uint8Array(sealed.subarray(0, IV));
    const algorithm = { name: 'AES-GCM', iv, additionalData: AAD };
    try {
      return new Uint8Array(
        await subtle.decrypt(algorithm, await key(), new Uint8Array(sealed.subarray(IV))),
      );
    } catch (error) {
      if (error instanceof DOMException) return null;
      throw error;
    }
  };
  return {
    seal,
    open,
    put: async (name, bytes) =>
      shelf.write([{ put: 'safe', key: `secret/${name}`, value: await seal(bytes) }]),
    get: async (name) => {
      const sealed = await shelf.get('safe', `secret/${name}`);
      return sealed instanceof Uint8Array ? open(sealed) : null;
    },
    wipe: async () => {
      held = null;
      await shelf.write([{ remove: 'safe', key: KEY }]);
    },
  };
}

/** For pages without WebCrypto: secrets live as long as the page. */
export function memorySafe(): Safe {
  const kept = new Map<string, Uint8Array>();
  return {
    put: async (name, bytes) => void kept.set(name, bytes),
    get: async (name) => kept.get(name) ?? null,
    seal: async (bytes) => bytes,
    open: async (sealed) => sealed,
    wipe: async () => kept.clear(),
  };
}
