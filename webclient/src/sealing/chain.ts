// Which bundle may follow which: a listed member vouches, or a newcomer brings a proof (§3).
import { equal, hex } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { verifyBundle, type Bundle } from './bundle';
import type { Card } from './card';
import {
  epochKeys,
  fingerprintOf,
  inviteOf,
  openBack,
  type Door,
  type EpochKeys,
  type Header,
  type Invited,
} from './epoch';
import { verifyJoin } from './invite';
import { SealingError } from './kdf';
import { isRefusal } from './refusal';

function rule(holds: boolean, broken: string): void {
  if (!holds) throw new SealingError(`this epoch may not follow: ${broken}`);
}

/** The signer's card must be the one that a header lists for the bundle's maker. */
function checkSigner(listing: Header, bundle: Bundle, signer: Card): void {
  const listed = fingerprintOf(listing, bundle.header.by);
  rule(signer.user === bundle.header.by, 'the card is of another person');
  rule(listed !== null && equal(listed, signer.fingerprint), 'the card is not the one listed');
}

/** Epoch 1 is its creator's word. */
export async function checkFirst(bundle: Bundle, signer: Card): Promise<void> {
  rule(bundle.header.epoch === 1, 'the first epoch is 1');
  checkSigner(bundle.header, bundle, signer);
  await verifyBundle(bundle, signer.ed25519);
}

/** Each newcomer's proof, under the invites that stood before. */
async function checkProofs(previous: Header, next: Header): Promise<Map<string, number>> {
  const used = new Map<string, number>();
  for (const join of next.joins) {
    const invite = inviteOf(previous, join.code);
    const print = fingerprintOf(next, join.user);
    rule(invite !== null, 'a proof names an invite that does not stand');
    rule(print !== null, 'a proof of somebody who is not listed');
    rule(fingerprintOf(previous, join.user) === null, 'a proof of somebody who was listed');
    if (invite === null || print === null) continue;
    rule(next.at <= invite.expires, 'a proof by an expired invite');
    const uses = (used.get(join.code) ?? 0) + 1;
    rule(uses <= invite.uses, 'an invite is used more often than it says');
    used.set(join.code, uses);
    const { signPublic } = invite;
    await verifyJoin(signPublic, join.code, next.room, join.user, print, join.proof);
  }
  return used;
}

const sameInvite = (a: Invited, b: Invited): boolean =>
  a.by === b.by &&
  a.recipient === b.recipient &&
  a.expires === b.expires &&
  equal(a.signPublic, b.signPublic);

/** A code that stays keeps its keys, and its uses go down by those that were counted. */
function checkInvites(previous: Header, next: Header, used: Map<string, number>): void {
  for (const before of previous.invites) {
    const left = before.uses - (used.get(before.code) ?? 0);
    const after = inviteOf(next, before.code);
    if (after === null) continue;
    rule(sameInvite(before, after), 'an invite that stays has changed');
    rule(after.uses <= left, 'an invite’s uses do not add up');
  }
}

function sameDoors(a: readonly Door[], b: readonly Door[]): boolean {
  const key = (doors: readonly Door[]): string =>
    doors
      .map((door) => door.join())
      .sort()
      .join(';');
  return key(a) === key(b);
}

/** Somebody who lists himself may change nothing else. */
function checkOwnJoin(previous: Header, next: Header, used: Map<string, number>): void {
  const others = next.members.filter(([user]) => user !== next.by);
  const kept = others.every(([user, print]) => {
    const before = fingerprintOf(previous, user);
    return before !== null && equal(before, print);
  });
  rule(kept && others.length === previous.members.length, 'a newcomer changed the members');
  rule(
    next.joins.length === 1 && next.joins[0]?.user === next.by,
    'a newcomer brings his own proof',
  );
  const { type, history, hints } = previous.rules;
  const sameRules =
    next.rules.type === type && next.rules.history === history && next.rules.hints === hints;
  rule(sameRules, 'a newcomer changed the rules');
  rule(sameDoors(previous.doors, next.doors), 'a newcomer changed the devices');
  const left = previous.invites
    .map((invite) => ({ ...invite, uses: invite.uses - (used.get(invite.code) ?? 0) }))
    .filter(({ uses }) => uses > 0);
  const codes = (invites: readonly Invited[]): string =>
    invites
      .map(({ code, uses }) => `${code} ${uses}`)
      .sort()
      .join();
  rule(codes(left) === codes(next.invites), 'a newcomer changed the invites');
}

/** What was checked of a next bundle. */
export interface Followed {
  /** The signer listed himself by a proof. */
  readonly joined: boolean;
}

/**
 * Throws unless `next` may follow `previous`. `signer` is the maker's card; `listedBefore` names
 * everybody who was ever listed: they do not come back by a proof of their own.
 */
export async function checkNext(
  previous: Bundle,
  next: Bundle,
  signer: Card,
  listedBefore: ReadonlySet<Id>,
): Promise<Followed> {
  const [before, after] = [previous.header, next.header];
  rule(after.room === before.room, 'it is of another room');
  rule(after.epoch === before.epoch + 1, 'its number is not the next');
  rule(hex(after.prev) === hex(previous.headerHash), 'its predecessor is another');
  rule(!equal(after.kid, before.kid), 'it has the key of the epoch before');
  const listed = fingerprintOf(before, after.by) !== null;
  checkSigner(listed ? before : after, next, signer);
  await verifyBundle(next, signer.ed25519);
  const used = await checkProofs(before, after);
  checkInvites(before, after, used);
  if (!listed) {
    rule(!listedBefore.has(after.by), 'somebody who was listed before comes back by a proof');
    checkOwnJoin(before, after, used);
  }
  return { joined: !listed };
}

/** An older epoch and its keys. */
export interface Step {
  readonly epoch: number;
  readonly keys: EpochKeys;
}

/**
 * Where an epoch's way back leads: the newest of the older epochs whose kid its secret gives. Null: the
 * room hides what was before, or the way leads nowhere, which is no error (decision 0051).
 */
export function stepBack(
  { epoch, back }: Header,
  keys: EpochKeys,
  olderAt: (epoch: number) => Header | undefined,
): Step | null {
  const older = back === null ? null : olderKeys(keys, epoch, back);
  if (older === null) return null;
  for (let at = epoch - 1; at >= 1; at--) {
    const kid = olderAt(at)?.kid;
    if (kid !== undefined && equal(kid, older.kid)) return { epoch: at, keys: older };
  }
  return null;
}

/** The keys that a way back holds; null: it does not open. */
function olderKeys(keys: EpochKeys, epoch: number, back: Uint8Array): EpochKeys | null {
  try {
    return epochKeys(keys.room, openBack(keys, epoch, back));
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}
