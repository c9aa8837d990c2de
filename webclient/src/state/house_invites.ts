// The invites of the house: those of every room into which one may invite.
import { isCode } from '../api/error';
import type { Invite } from '../api/invites';
import { parseId } from '../protocol/ids';
import type { HouseInvite, InvitingRoom } from './administration_model';
import type { Home } from './home';
import { may } from './may';
import type { InviteLink } from './model';
import type { RoomHandle } from './room';
import { RoomActions } from './room_actions';
import { RoomOffice } from './room_office';

export class HouseInvites {
  readonly #home: Home;
  /** Links that were made here: their secrets are nowhere else. */
  readonly #made = new Map<string, string>();

  constructor(home: Home) {
    this.#home = home;
  }

  #rooms(): readonly RoomHandle[] {
    const all = this.#home.rooms.all();
    return all.filter(({ room }) => may(room.myRole ?? 'member', 'invite', room.type));
  }

  /** The general room first: it is how one comes into the house. */
  rooms(): readonly InvitingRoom[] {
    const rooms = this.#rooms().map(({ room: { id, name, general, sealing } }) => {
      return { id, name, general, sealed: sealing === 'sealed' };
    });
    return rooms.toSorted((one, other) => Number(other.general) - Number(one.general));
  }

  /** Those that can still be used, the newest first. */
  async list(): Promise<readonly HouseInvite[]> {
    const lists = await Promise.all(this.#rooms().map((handle) => this.#of(handle)));
    const all = lists.flat().toSorted((one, other) => other.createdAt - one.createdAt);
    return all.map(({ view }) => view);
  }

  async #of({ room }: RoomHandle): Promise<{ view: HouseInvite; createdAt: number }[]> {
    const { parts, people } = this.#home;
    const now = parts.clock.now();
    const all = await parts.api.invites.list(room.id);
    const standing = all.filter((one) => !one.revoked && one.usesLeft > 0 && one.expiresAt > now);
    return Promise.all(
      standing.map(async (invite) => {
        const { code, by, createdAt, expiresAt, usesLeft, guestUntil } = invite;
        const link = await this.#link(invite, room.sealing === 'open');
        const named = { id: room.id, name: room.name };
        const terms = { code, by: people.person(by), expiresAt, usesLeft, guestUntil };
        return { createdAt, view: { ...terms, room: named, link } };
      }),
    );
  }

  /** Where the code is all of the link, the box tells the rooms to whoever has the code. */
  async #link({ code }: Invite, open: boolean): Promise<string | null> {
    const made = this.#made.get(code);
    if (made !== undefined || !open) return made ?? null;
    const { api, origin } = this.#home.parts;
    try {
      const { rooms } = await api.invites.look(code, new Uint8Array());
      return rooms.length === 0 ? null : `${origin}/i/${code}`;
    } catch (error) {
      if (isCode(error, 'not_found', 'invite_used_up', 'invite_expired', 'invite_revoked')) {
        return null;
      }
      throw error;
    }
  }

  /** `guestDays`: for guests, who stay so long; null: for people who live here. */
  async make(room: string, uses: number, guestDays: number | null): Promise<InviteLink> {
    const made = await new RoomActions(this.#home).makeInvite(room, uses, guestDays ?? undefined);
    const code = new URL(made.link).pathname.split('/').at(-1);
    if (code !== undefined) this.#made.set(code, made.link);
    return made;
  }

  async revoke(room: string, code: string): Promise<void> {
    const office = new RoomOffice(
      () => this.#home,
      (run) => run(),
    );
    await office.revoke(parseId(room), code);
    this.#made.delete(code);
  }
}
