// The names of things: UUIDv7 ids and invite codes. Time and randomness come in as arguments.
import { BytesError, fromHex, hex } from './bytes';

declare const idBrand: unique symbol;

/** A canonical UUID: 36 characters, lower case, not nil. */
export type Id = string & { readonly [idBrand]: true };

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';

/** Whether a text is an id in its canonical spelling. */
export function isId(text: string): text is Id {
  return FORM.test(text) && text !== NIL;
}

/** The id in a text. */
export function parseId(text: string): Id {
  if (!isId(text)) throw new BytesError(`\`${text.slice(0, 64)}\` is not an id`);
  return text;
}

/** The 16 bytes of an id, as on wires. */
export function idBytes(id: Id): Uint8Array {
  return fromHex(id.replaceAll('-', ''));
}

/** The id of 16 bytes. */
export function idFromBytes(bytes: Uint8Array): Id {
  const text = hex(bytes);
  if (text.length !== 32) throw new BytesError('an id has 16 bytes');
  const cut = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20)];
  return parseId([...cut, text.slice(20)].join('-'));
}

/** A UUIDv7 (RFC 9562 §5.7) from a time in ms since 1970 and ten random bytes. */
export function newId(nowMs: number, random: Uint8Array): Id {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.floor(nowMs)) << 16n);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return idFromBytes(bytes);
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

declare const codeBrand: unique symbol;

/** An invite's code: ten characters of Crockford base32, upper case. */
export type InviteCode = string & { readonly [codeBrand]: true };

function isCode(text: string): text is InviteCode {
  return text.length === 10 && [...text].every((char) => CROCKFORD.includes(char));
}

/** The code in a text, whatever its case. */
export function parseCode(text: string): InviteCode {
  const upper = text.toUpperCase();
  if (!isCode(upper)) throw new BytesError(`\`${text.slice(0, 64)}\` is not an invite code`);
  return upper;
}

/** A code of ten random bytes, five bits of each used. */
export function newCode(random: Uint8Array): InviteCode {
  return parseCode(
    Array.from(random.subarray(0, 10), (byte) => CROCKFORD[byte & 31] ?? '').join(''),
  );
}
