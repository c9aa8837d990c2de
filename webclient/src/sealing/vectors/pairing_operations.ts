// The operations of the file pairing.
import { hex } from '../../protocol/bytes';
import { pairLink } from '../../protocol/pairing';
import * as s from '../../protocol/schema';
import { agree, checkPrint, digitsOf, openHanded, parseTyped, typedForm } from '../pairing';
import type { TypedPairing } from '../requests';
import { bytes, op, type Operation } from './operation';

const shown = { channel: bytes, key_new: bytes };

function read(text: string): TypedPairing {
  const typed = parseTyped(text);
  if (typed === null) throw new Error('mistyped');
  return typed;
}

export const pairingOperations: Readonly<Record<string, Operation>> = {
  pair_link: op({ ...shown, origin: s.text }, ({ origin, channel, key_new: key }) => ({
    link: pairLink(origin, { channel, key }),
  })),
  pair_typed: op(shown, ({ channel, key_new: key }) => ({ typed: typedForm({ channel, key }) })),
  pair_read: op({ typed: s.text }, ({ typed }) => {
    const { channel, print } = read(typed);
    return { channel: hex(channel), print: hex(print) };
  }),
  pair_check: op({ typed: s.text, key_new: bytes }, ({ typed, key_new: key }) => {
    checkPrint(key, read(typed).print);
    return {};
  }),
  pair_agree: op({ ...shown, secret: bytes, theirs: bytes, key_old: bytes }, (input) => {
    const offer = { channel: input.channel, key: input.key_new };
    const key = agree(input.secret, input.theirs, offer, input.key_old);
    return { key: hex(key), digits: digitsOf(key) };
  }),
  pair_open: op({ key: bytes, channel: bytes, sealed: bytes }, ({ key, channel, sealed }) => {
    const { root, refresh } = openHanded(key, channel, sealed);
    return { root: hex(root), refresh };
  }),
};
