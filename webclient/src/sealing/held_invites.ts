// The invites that this client holds the secret of: what they say, and what they make one able to do.
import type { Id, InviteCode } from '../protocol/ids';
import type { Account } from './account';
import { inviteKeys, makeJoin, openBlob, type Blob, type InviteKeys } from './invite';
import { SealingError } from './kdf';
import type { Anchor } from './room_keys';

interface HeldInvite {
  readonly keys: InviteKeys;
  /** Null until it was read. */
  blob: Blob | null;
}

export class HeldInvites {
  readonly #held = new Map<InviteCode, HeldInvite>();

  /** Takes up an invite by the secret of its link. Gives what proves it to the box. */
  take(code: InviteCode, k: Uint8Array): Uint8Array {
    const keys = inviteKeys(k);
    this.#held.set(code, { keys, blob: this.#held.get(code)?.blob ?? null });
    return keys.auth;
  }

  #need(code: InviteCode): HeldInvite {
    const held = this.#held.get(code);
    if (held === undefined) throw new SealingError('the invite link is not at hand');
    return held;
  }

  /** The rooms that it leads to. */
  read(code: InviteCode, blob: Uint8Array): Id[] {
    const held = this.#need(code);
    held.blob = openBlob(blob, code, held.keys.wrap);
    return held.blob.rooms.map(({ room }) => room);
  }

  joinProofs(code: InviteCode, { user, fingerprint }: Account): { room: Id; proof: Uint8Array }[] {
    const { keys, blob } = this.#need(code);
    if (blob === null) throw new SealingError('the invite was not read yet');
    return blob.rooms.map(({ room }) => ({
      room,
      proof: makeJoin(keys.seed, code, room, user, fingerprint),
    }));
  }

  /** The keys of the first of these invites that is at hand. */
  keysOf(codes: readonly InviteCode[]): { code: InviteCode; keys: InviteKeys } | null {
    for (const code of codes) {
      const held = this.#held.get(code);
      if (held !== undefined) return { code, keys: held.keys };
    }
    return null;
  }

  /** What the invites say of a room's epoch, null when none names the room. */
  anchor(room: Id): Anchor | null {
    for (const { blob } of this.#held.values()) {
      const invited = blob?.rooms.find((one) => one.room === room);
      if (blob != null && invited !== undefined) {
        return { kind: 'invite', head: [invited.epoch, invited.headerHash], blob };
      }
    }
    return null;
  }

  rooms(): Id[] {
    return [...this.#held.values()]
      .flatMap(({ blob }) => blob?.rooms ?? [])
      .map(({ room }) => room);
  }

  identities(): InviteKeys['identity'][] {
    return [...this.#held.values()].map(({ keys }) => keys.identity);
  }
}
