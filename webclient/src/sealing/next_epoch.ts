// Making a room's first and next epoch: who is listed, which doors and invites stand (§3, §5, §6).
import { equal } from '../protocol/bytes';
import type { Id, InviteCode } from '../protocol/ids';
import type { Account } from './account';
import { recipientOf, type Recipient } from './agefile';
import { makeBundle, type Bundle } from './bundle';
import type { Card } from './card';
import type { Cards } from './cards';
import { doorIdentity, isFalseDoor } from './door';
import {
  epochKeys,
  fingerprintOf,
  inviteOf,
  sealBack,
  ZERO_HASH,
  type Door,
  type EpochKeys,
  type Header,
  type Invited,
  type Join,
  type Listed,
  type Rules,
} from './epoch';
import { makeJoin, verifyJoin, type InviteKeys } from './invite';
import { SealingError, type Random } from './kdf';
import type { MadeEpoch, NextEpoch, Waiting } from './requests';
import { cardFor } from './trust';

export interface FirstEpoch {
  readonly room: Id;
  readonly rules: Rules;
  readonly at: number;
  readonly others: readonly Id[];
  /** Those that are there already: of an open room that is sealed. */
  readonly devices: readonly Id[];
}

/** A room's first epoch: its creator's word, also about whom else it lists. */
export function makeFirst(
  { room, rules, at, others, devices }: FirstEpoch,
  me: Account,
  cards: Cards,
  random: Random,
): Promise<Uint8Array> {
  const keys = epochKeys(room, random(32));
  const company = others.map((user) => {
    const card = cardFor(user, null, me, cards);
    if (card === null) throw new SealingError('this person has no keys that are believed here');
    me.pin(user, card.fingerprint, 'unverified', null, at, cards);
    return card;
  });
  const header: Header = {
    room,
    epoch: 1,
    kid: keys.kid,
    prev: ZERO_HASH,
    rules,
    members: [
      [me.user, me.fingerprint],
      ...company.map((card): Listed => [card.user, card.fingerprint]),
    ],
    joins: [],
    doors: devices.map((device) => doorOf(device, room, 1, keys)),
    invites: [],
    back: null,
    by: me.user,
    at,
    reason: 'created',
  };
  const recipients = [me.identity.recipient, ...company.map(({ age }) => age)];
  return makeBundle(header, keys, recipients, me.identity.seed);
}

/** Why nothing can be sealed or built. */
export const NOT_HERE = 'this room’s key is not here yet';

/** What the next epoch is made from. */
export interface Ground {
  readonly head: Bundle;
  /** The head's keys; null: it does not open here. */
  readonly open: EpochKeys | null;
  /** The newest keys that are here, to be handed on; null: none. */
  readonly newest: EpochKeys | null;
  /** The keys of an epoch; null: it does not open here. */
  readonly keys: (epoch: number) => EpochKeys | null;
  /** Who was listed in an older epoch: a proof does not bring them back. */
  readonly listedBefore: ReadonlySet<Id>;
  readonly cards: Cards;
  readonly me: Account;
  readonly random: Random;
}

/** The invite that somebody who is not listed yet comes by. */
export interface Ticket {
  readonly code: InviteCode;
  readonly keys: InviteKeys;
}

interface Admitted {
  readonly members: Listed[];
  readonly joins: Join[];
}

/** The card of a waiting person for which the proof was made. */
async function provenCard(
  waiting: Waiting,
  invite: Invited,
  room: Id,
  cards: Cards,
): Promise<Card | null> {
  for (const card of cards.of(waiting.user).toReversed()) {
    const { user, code, proof } = waiting;
    try {
      await verifyJoin(invite.signPublic, code, room, user, card.fingerprint, proof);
      return card;
    } catch (error) {
      if (!(error instanceof SealingError)) throw error;
    }
  }
  return null;
}

/** Those who wait with a proof that holds, as far as the invites go. */
async function admit(request: NextEpoch, ground: Ground): Promise<Admitted> {
  const { header } = ground.head;
  const admitted: Admitted = { members: [], joins: [] };
  const uses = new Map(header.invites.map((invite) => [invite.code, invite.uses]));
  for (const waiting of request.waiting) {
    const invite = inviteOf(header, waiting.code);
    const left = uses.get(waiting.code) ?? 0;
    const here = request.members.includes(waiting.user);
    if (invite === null || left === 0 || !here || request.at > invite.expires) continue;
    if (fingerprintOf(header, waiting.user) !== null) continue;
    if (ground.listedBefore.has(waiting.user)) continue;
    const card = await provenCard(waiting, invite, request.room, ground.cards);
    if (card === null) continue;
    uses.set(waiting.code, left - 1);
    admitted.members.push([waiting.user, card.fingerprint]);
    admitted.joins.push(waiting);
  }
  return admitted;
}

/**
 * In public rooms whoever the box says has joined is listed, with the card that is believed;
 * elsewhere whom this person lets in.
 */
function welcome(request: NextEpoch, ground: Ground, listed: readonly Listed[]): Listed[] {
  const everybody = (request.rules ?? ground.head.header.rules).type === 'public';
  const known = new Set(listed.map(([user]) => user));
  return request.members.flatMap((user): Listed[] => {
    const wanted = everybody || request.letIn?.includes(user) === true;
    const card = known.has(user) || !wanted ? null : cardFor(user, null, ground.me, ground.cards);
    return card === null ? [] : [[user, card.fingerprint]];
  });
}

function recipientsOf(header: Header, cards: Cards): Recipient[] {
  const members = header.members.map(([user, print]) => {
    const card = cards.byPrint(print);
    if (card === null) throw new SealingError(`the card of ${user} is missing`);
    return card.age;
  });
  const invites =
    header.rules.history === 'all' ? header.invites.map(({ recipient }) => recipient) : [];
  return [...new Set([...members, ...invites])];
}

function doorOf(device: Id, room: Id, epoch: number, keys: EpochKeys): Door {
  return [device, recipientOf(doorIdentity(keys.secret, room, device)), epoch];
}

/** Of each device of the room: as it was, or made here where it had none that opens or is to be renewed. */
function doorsOf(request: NextEpoch, ground: Ground, keys: EpochKeys, renew: boolean): Door[] {
  const { header } = ground.head;
  const opens = (door: Door): boolean => {
    const made = ground.keys(door[2]);
    return made === null || !isFalseDoor(door, made);
  };
  const before = new Map(header.doors.filter(opens).map((door) => [door[0], door]));
  return [...new Set(request.devices)].map((device) => {
    const stood = renew || device === request.addDoor ? undefined : before.get(device);
    return stood ?? doorOf(device, request.room, header.epoch + 1, keys);
  });
}

function invitesOf(
  request: NextEpoch,
  previous: Header,
  joins: readonly Join[],
  add?: Invited,
): Invited[] {
  const ended = new Set<string>(request.endInvites ?? []);
  const kept = previous.invites
    .map((invite) => ({
      ...invite,
      uses: invite.uses - joins.filter(({ code }) => code === invite.code).length,
    }))
    .filter(({ code, uses, expires, by }) => {
      const stands = uses > 0 && expires > request.at && request.members.includes(by);
      return stands && !ended.has(code);
    });
  return add === undefined ? kept : [...kept, add];
}

/** Signed with the keys that the epoch before lists for its maker, so that all can follow. */
async function finish(header: Header, keys: EpochKeys, ground: Ground): Promise<Uint8Array> {
  const recipients = recipientsOf(header, ground.cards);
  const { me, head } = ground;
  const { seed } = me.listedIn(head.header) ?? me.identity;
  return makeBundle(header, keys, recipients, seed);
}

/** Who stays, each with the keys that count by now. */
function stayingOf(request: NextEpoch, { head, me, cards }: Ground): Listed[] {
  const here = head.header.members.filter(([user]) => request.members.includes(user));
  return here.map(([user, print]): Listed => {
    if (user === me.user) return [user, me.fingerprint];
    return [user, cardFor(user, print, me, cards)?.fingerprint ?? print];
  });
}

function base(request: NextEpoch, ground: Ground, keys: EpochKeys): Header {
  const { header, headerHash } = ground.head;
  const epoch = header.epoch + 1;
  const rules = request.rules ?? header.rules;
  const all = rules.history === 'all';
  const { newest } = ground;
  if (all && newest === null) throw new SealingError(NOT_HERE);
  return {
    ...header,
    rules,
    epoch,
    kid: keys.kid,
    prev: headerHash,
    joins: [],
    back: all && newest !== null ? sealBack(keys, epoch, newest.secret, ground.random) : null,
    by: ground.me.user,
    at: request.at,
    reason: request.reason,
  };
}

/** The next epoch by somebody who is listed. */
export async function makeNext(
  request: NextEpoch,
  ground: Ground,
  add?: Invited,
): Promise<MadeEpoch> {
  const previous = ground.head.header;
  const keys = epochKeys(request.room, ground.random(32));
  const stay = stayingOf(request, ground);
  const admitted = await admit(request, ground);
  const listed = [...stay, ...admitted.members];
  // Old keys, of somebody who left or of a lost device, know the doors made so far.
  const kept = stay.filter(([user, print]) => {
    const before = fingerprintOf(previous, user);
    return before !== null && equal(before, print);
  });
  // And doors of an epoch that does not open, nobody knows.
  const renew = ground.open === null || kept.length < previous.members.length;
  const header: Header = {
    ...base(request, ground, keys),
    members: [...listed, ...welcome(request, ground, listed)],
    joins: admitted.joins,
    doors: doorsOf(request, ground, keys, renew),
    invites: invitesOf(request, previous, admitted.joins, add),
  };
  const bundle = await finish(header, keys, ground);
  const door = header.doors.find(([device]) => device === request.addDoor);
  const members = header.members.map(([user]) => user);
  return { epoch: header.epoch, bundle, members, doorRecipient: door?.[1] ?? null };
}

/** The next epoch by a newcomer, who lists himself and changes nothing else. */
export async function makeOwnJoin(
  request: NextEpoch,
  ground: Ground,
  ticket: Ticket,
): Promise<MadeEpoch> {
  const { me } = ground;
  const previous = ground.head.header;
  const keys = epochKeys(request.room, ground.random(32));
  const { user, fingerprint } = me;
  const proof = makeJoin(ticket.keys.seed, ticket.code, request.room, user, fingerprint);
  const joins: Join[] = [{ user, code: ticket.code, proof }];
  const invites = previous.invites
    .map((invite) => (invite.code === ticket.code ? { ...invite, uses: invite.uses - 1 } : invite))
    .filter(({ uses }) => uses > 0);
  const header: Header = {
    ...base(request, ground, keys),
    members: [...previous.members, [user, fingerprint]],
    joins,
    invites,
    reason: 'joined',
  };
  const members = header.members.map(([listed]) => listed);
  const bundle = await finish(header, keys, ground);
  return { epoch: header.epoch, bundle, members, doorRecipient: null };
}
