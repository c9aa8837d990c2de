// The cases of the files chain (where a way back leads) and order (what is told of writers' numbers).
import { hex } from '../../protocol/bytes';
import { makeBundle, parseBundle } from '../bundle';
import { epochKeys, sealBack, ZERO_HASH, type EpochKeys, type Header } from '../epoch';
import { bad, good, type Case } from './cases';
import * as p from './people';

const secretOf = (name: string): Uint8Array => p.bytesOf(`secret of ${name}`);
const keysOf = (name: string): EpochKeys => epochKeys(p.ROOM, secretOf(name));

/** The next epoch of ada's room, with the secret of a name; its way back carries `back`. */
async function grown(
  bundles: readonly Uint8Array[],
  name: string,
  back: (keys: EpochKeys, epoch: number) => Uint8Array | null,
): Promise<Uint8Array[]> {
  const before = bundles.at(-1);
  const epoch = bundles.length + 1;
  const keys = keysOf(name);
  const header: Header = {
    room: p.ROOM,
    epoch,
    kid: keys.kid,
    prev: before === undefined ? ZERO_HASH : parseBundle(before).headerHash,
    rules: { type: 'private', history: 'all', hints: false },
    members: [[p.ADA, p.ada.parsed.fingerprint]],
    joins: [],
    doors: [],
    invites: [],
    back: epoch === 1 ? null : back(keys, epoch),
    by: p.ADA,
    at: p.NOW + epoch,
    reason: epoch === 1 ? 'created' : 'due',
  };
  const made = await makeBundle(header, keys, [p.ada.identity.recipient], p.ada.identity.seed);
  return [...bundles, made];
}

const to =
  (name: string) =>
  (keys: EpochKeys, epoch: number): Uint8Array =>
    sealBack(keys, epoch, secretOf(name), p.drawnBytes);
const nowhere = (): Uint8Array => p.bytesOf('nowhere');

export async function chainCases(): Promise<Case[]> {
  const one = await grown([], 'one', nowhere);
  const two = await grown(one, 'two', to('one'));
  const three = (back: (keys: EpochKeys, epoch: number) => Uint8Array | null) =>
    grown(two, 'three', back);
  const from = (bundles: readonly Uint8Array[], name: string) => ({
    bundles: bundles.map(hex),
    secret: hex(secretOf(name)),
  });
  const elsewhere = (_keys: EpochKeys, epoch: number): Uint8Array =>
    sealBack(epochKeys(p.OTHER_ROOM, secretOf('three')), epoch, secretOf('two'), p.drawnBytes);
  const ofAnotherEpoch = (keys: EpochKeys): Uint8Array =>
    sealBack(keys, 2, secretOf('two'), p.drawnBytes);
  const step = 'back_step';
  return [
    await good('to the epoch before', step, from(two, 'two')),
    await good('over two epochs, one at a time', step, from(await three(to('two')), 'three')),
    await good('past an epoch that its maker could not open', step, {
      ...from(await three(to('one')), 'three'),
    }),
    await bad('from the first epoch', step, from(one, 'one')),
    await bad('to a secret of no epoch', step, from(await three(to('four')), 'three')),
    await bad('to its own secret', step, from(await three(to('three')), 'three')),
    await bad('of bytes that hold none', step, from(await three(nowhere), 'three')),
    await bad('made for another room', step, from(await three(elsewhere), 'three')),
    await bad('made for another epoch', step, from(await three(ofAnotherEpoch), 'three')),
    await bad('with the secret of another epoch', step, from(await three(to('two')), 'two')),
    await bad('without the epochs before', step, {
      ...from((await three(to('two'))).slice(2), 'three'),
    }),
  ];
}

let events = 0;

/** The next event of a writer, with an id of its own. */
function event(sender: p.Someone, seq: number, writer = 7) {
  const id = `01929b2a-7c01-7abc-8def-${String(++events).padStart(12, '0')}`;
  return { id, sender: sender.user, writer, seq };
}

export function orderCases(): Promise<Case[]> {
  const { ada, ben } = p;
  const read = (name: string, ...runs: readonly ReturnType<typeof event>[][]): Promise<Case> =>
    good(name, 'event_order', { begins: true, runs });
  const first = event(ada, 1);
  const old = event(ada, 1);
  const refused = (name: string, change: Record<string, unknown>): Promise<Case> =>
    bad(name, 'event_order', { begins: true, runs: [[{ ...event(ada, 1), ...change }]] });
  return Promise.all([
    read('as they were written', [event(ada, 1), event(ben, 1), event(ada, 2), event(ben, 2)]),
    read('two writers of one person', [event(ada, 1), event(ada, 1, 8), event(ada, 2, 8)]),
    read('two are missing', [event(ada, 1), event(ben, 1), event(ada, 4), event(ada, 5)]),
    read('the first two are missing', [event(ada, 3), event(ada, 4)]),
    good('what was before was not read', 'event_order', {
      begins: false,
      runs: [[event(ada, 3), event(ada, 4)]],
    }),
    read('what is between was not read', [event(ada, 1)], [event(ada, 9), event(ada, 11)]),
    read('a known id', [first, event(ada, 2), first, event(ada, 3)]),
    read('a number twice, from a copied device', [event(ada, 1), old, event(ada, 2)]),
    read('an old one at a new place', [event(ada, 1), event(ada, 3), event(ada, 2), event(ada, 4)]),
    read(
      'an old one far behind',
      [event(ada, 90), event(ada, 91)],
      [event(ada, 5), event(ada, 92)],
    ),
    read('an old one joins no runs', [event(ada, 90)], [event(ada, 5), event(ada, 95)]),
    refused('a number below zero', { seq: -1 }),
    refused('a number that not every language holds', { seq: 2 ** 53 }),
    refused('a writer of 33 bits', { writer: 2 ** 32 }),
    refused('an id that names nothing', { id: '00000000-0000-0000-0000-000000000000' }),
  ]);
}
