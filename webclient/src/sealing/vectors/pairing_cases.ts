// The cases written to tests/vectors/ts-pairing.json.
import { x25519 } from '@noble/curves/ed25519.js';
import { b64u, fromHex, hex, utf8 } from '../../protocol/bytes';
import { ctx, seal } from '../kdf';
import { agree, typedForm } from '../pairing';
import { bad, good, type Case, type Input } from './cases';
import * as p from './people';

const CHANNEL = p.bytesOf('channel').slice(0, 16);
const ZEROS = new Uint8Array(32);

const [NEW, OLD, MALLORY] = [p.bytesOf('new'), p.bytesOf('old'), p.bytesOf('mallory')];
const publicOf = (secret: Uint8Array): Uint8Array => x25519.getPublicKey(secret);

function codes(): Promise<Case>[] {
  const offer = { channel: CHANNEL, key: publicOf(NEW) };
  const shown = { channel: hex(CHANNEL), key_new: hex(offer.key) };
  const typed = typedForm(offer);
  const read = (text: string): Input => ({ typed: text });
  const check = { typed, key_new: shown.key_new };
  return [
    good('a link', 'pair_link', { ...shown, origin: 'https://hearth.local' }),
    good('the typed form', 'pair_typed', shown),
    good('the typed form read', 'pair_read', read(typed)),
    good(
      'as people type it',
      'pair_read',
      read(` ${typed.toLowerCase().slice(0, 21)} -
      ${typed.slice(21)}`),
    ),
    bad('nothing', 'pair_read', read('')),
    bad('a letter less', 'pair_read', read(typed.slice(0, -1))),
    bad('a letter more', 'pair_read', read(`${typed}A`)),
    bad('with padding', 'pair_read', read(`${typed}======`)),
    bad('a 0', 'pair_read', read(`0${typed.slice(1)}`)),
    bad('bits after the end', 'pair_read', read(`${typed.slice(0, -1)}B`)),
    bad('a letter of no alphabet', 'pair_read', read(`é${typed.slice(1)}`)),
    good('the key that was shown', 'pair_check', check),
    bad('another key in the channel', 'pair_check', {
      ...check,
      key_new: hex(publicOf(MALLORY)),
    }),
    bad('a key cut off', 'pair_check', { ...check, key_new: check.key_new.slice(2) }),
    bad('a key of another length', 'pair_check', { ...check, key_new: `${check.key_new}00` }),
  ];
}

function keys(): Promise<Case>[] {
  const [fresh, old] = [hex(publicOf(NEW)), hex(publicOf(OLD))];
  const agreed = {
    secret: hex(NEW),
    theirs: old,
    channel: hex(CHANNEL),
    key_new: fresh,
    key_old: old,
  };
  const meets = (name: string, theirs: string) => bad(name, 'pair_agree', { ...agreed, theirs });
  return [
    good('the new browser’s side', 'pair_agree', agreed),
    good('the signed-in side', 'pair_agree', { ...agreed, secret: hex(OLD), theirs: fresh }),
    good('somebody in the middle', 'pair_agree', { ...agreed, theirs: hex(publicOf(MALLORY)) }),
    meets('a key of zeros', hex(ZEROS)),
    meets('a key of order 1', hex(p.turned(ZEROS, 0))),
    meets('p', `ed${'ff'.repeat(30)}7f`),
    meets('p with the topmost bit', `ed${'ff'.repeat(31)}`),
    meets('a key cut off', old.slice(2)),
    bad('a channel cut off', 'pair_agree', { ...agreed, channel: agreed.channel.slice(2) }),
    bad('a new key cut off', 'pair_agree', { ...agreed, key_new: fresh.slice(2) }),
    bad('an old key cut off', 'pair_agree', { ...agreed, key_old: old.slice(2) }),
  ];
}

function handed(): Promise<Case>[] {
  const offer = { channel: CHANNEL, key: publicOf(NEW) };
  const key = agree(NEW, publicOf(OLD), offer, publicOf(OLD));
  const sealedAs = (given: unknown, tag = 'hearth/v1/pair'): string =>
    hex(seal(key, utf8(JSON.stringify(given)), ctx(tag, CHANNEL), p.drawnBytes));
  const root = b64u(p.bytesOf('root'));
  const given = { root, refresh: 'secret' };
  const whole = { key: hex(key), channel: hex(CHANNEL), sealed: sealedAs(given) };
  const other = (name: string, changed: Input) => bad(name, 'pair_open', { ...whole, ...changed });
  return [
    good('what is handed over', 'pair_open', whole),
    other('another key', { key: hex(MALLORY) }),
    other('another channel', { channel: hex(p.bytesOf('other').slice(0, 16)) }),
    other('a turned bit', { sealed: hex(p.turned(fromHex(whole.sealed), -1)) }),
    other('cut off', { sealed: whole.sealed.slice(0, -2) }),
    other('the byte that says no', { sealed: '00' }),
    other('nothing', { sealed: '' }),
    other('another tag', { sealed: sealedAs(given, 'hearth/v1/vault') }),
    other('without root', { sealed: sealedAs({ refresh: 'secret' }) }),
    other('without a login', { sealed: sealedAs({ root }) }),
    other('a root of 33 bytes', {
      sealed: sealedAs({ ...given, root: `${root.slice(0, -1)}AAA` }),
    }),
    other('a list', { sealed: sealedAs([root, 'secret']) }),
  ];
}

export const pairingCases = (): Promise<Case[]> =>
  Promise.all([...codes(), ...keys(), ...handed()]);
