// What a person does in a room: write, invite, add devices, found new rooms.
import type { RoomHandle } from './room';
import type { Entry } from '../local/outbox';
import { fitting } from '../protocol/attachment';
import { utf8 } from '../protocol/bytes';
import { eventJson, MESSAGE_CHARS_MAX, type Body } from '../protocol/event';
import { newId, parseId, type Id } from '../protocol/ids';
import { deviceLines, type NewDoor } from './device_lines';
import type { Home } from './home';
import { mentioned } from './mentions';
import type { DeviceLines, InviteLink, NewDevice, NewRoom } from './model';
import { ProblemError } from './problem';
import type { KeyView } from '../sealing/requests';
import type { Ready } from './trays';

const DAY_MS = 24 * 3_600_000;
const INVITE_DAYS = 7;

export class RoomActions {
  readonly #home: Home;
  /** The room that is open when the person acts: what is done goes there, however long it takes. */
  readonly #open: RoomHandle | null;

  constructor(home: Home) {
    this.#home = home;
    this.#open = home.current;
  }

  #newId(): Id {
    const { clock, random } = this.#home.parts;
    return newId(clock.now(), random(10));
  }

  #current(): RoomHandle {
    if (this.#open !== null) return this.#open;
    throw new ProblemError('no_room', 'no room is open', 'open a room');
  }

  /** Into the outbox; it lies in IndexedDB when this resolves. */
  async #put(body: Body, target: Id | null = null, files?: readonly Ready[]): Promise<void> {
    const { room } = this.#current();
    const id = this.#newId();
    const at = this.#home.parts.clock.now();
    const json = eventJson({ id, at, body });
    const ready = (files ?? []).map(({ attachment, sealed }) => [attachment.id, sealed] as const);
    const entry: Entry = {
      id,
      room: room.id,
      at,
      body: json,
      sealed: room.sealing === 'sealed',
      target,
      uploads: ready.map(([file]) => file),
      tried: false,
      failed: null,
    };
    await this.#home.outbox.add(entry, new Map(ready));
  }

  #checked(text: string): string {
    if (text.trim() === '') throw new ProblemError('empty', 'there is nothing to send', '');
    const chars = [...text].length;
    if (chars <= MESSAGE_CHARS_MAX) return text;
    throw new ProblemError(
      'too_long',
      `the message has ${chars} characters, at most ${MESSAGE_CHARS_MAX} are taken`,
      'send it in parts',
    );
  }

  /** `files`: without any the message has words. */
  send(text: string, parent: string | null, files: readonly Ready[] = []): Promise<void> {
    const content = files.length > 0 && text.trim() === '' ? '' : this.#checked(text);
    const parentId = parent === null ? null : parseId(parent);
    const people = this.#current().company?.members.map(({ user }) => user) ?? [];
    const mentions = mentioned(content, people).map(({ id }) => id);
    const bare = {
      type: 'message',
      content,
      parentId,
      mentions,
      attachments: [],
      tone: null,
    } as const;
    const attachments = fitting(
      utf8(content).length,
      files.map(({ attachment }) => attachment),
    );
    return this.#put({ ...bare, attachments }, null, files);
  }

  edit(target: string, text: string): Promise<void> {
    return this.#put({ type: 'edit', target: parseId(target), content: this.#checked(text) });
  }

  react(target: string, emoji: string, on: boolean): Promise<void> {
    return this.#put({ type: 'react', target: parseId(target), emoji, on });
  }

  async remove(target: string): Promise<void> {
    const id = parseId(target);
    const home = this.#home;
    // What lies here and was never sent is taken back without a word to the box.
    const here = home.outbox.items(this.#current().room.id).some(({ entry }) => entry.id === id);
    if (here && (await home.outbox.discard(id))) return;
    await home.parts.api.messages.remove(id);
  }

  typing(on: boolean): void {
    const home = this.#home;
    if (this.#open === null) return;
    const told = home.live.typing.mine(this.#open.room.id, on);
    told.catch((error: unknown) => home.failed(error));
  }

  retry(id: string): Promise<void> {
    return this.#home.outbox.retry(parseId(id));
  }

  async discard(id: string): Promise<void> {
    if (await this.#home.outbox.discard(parseId(id))) return;
    const hint = 'delete it once it is stored';
    throw new ProblemError('on_its_way', 'this message may be on the box already', hint);
  }

  async create({ name, type, sealing, topic = '' }: NewRoom): Promise<string> {
    const { parts } = this.#home;
    const id = this.#newId();
    const rules = { type, history: 'all', hints: false } as const;
    const bundle =
      sealing === 'sealed' ? await parts.sealing.foundRoom(id, rules, parts.clock.now()) : null;
    await parts.api.rooms.create({ id, name, type, sealing, description: topic, bundle });
    await this.#home.rooms.sync();
    return id;
  }

  /** An invite to a room; every invite is one to the general room too, but for guests' ones. */
  async makeInvite(roomId: string, uses: number, guestDays?: number): Promise<InviteLink> {
    const home = this.#home;
    const { sealing, api, clock, origin } = home.parts;
    const { room } = home.rooms.need(roomId);
    const general = home.rooms.general();
    const alone = guestDays !== undefined || general === null || general.room.id === room.id;
    const both = alone ? [room] : [room, general.room];
    const sealed = both.filter((one) => one.sealing === 'sealed').map(({ id }) => id);
    const guestUntil = guestDays === undefined ? null : clock.now() + guestDays * DAY_MS;
    const expires = Math.min(clock.now() + INVITE_DAYS * DAY_MS, guestUntil ?? Infinity);
    const fragment = await home.keeper.withRequests(sealed, 'invite', async (rooms) => {
      const made = await sealing.makeInvite({ rooms, by: home.me, expires, uses });
      const { code, authHash, blob, bundles } = made;
      const terms = { expiresAt: expires, uses, guestUntil };
      await api.invites.make(room.id, { code, authHash, blob, bundles, ...terms });
      return `${code}#${made.fragment}`;
    });
    return { link: `${origin}/i/${fragment}`, expiresAt: expires, uses };
  }

  async addDevice(roomId: string, name: string, plain: boolean): Promise<NewDevice> {
    const home = this.#home;
    const { sealing, api } = home.parts;
    const handle = home.rooms.need(roomId);
    const { room } = handle;
    const id = this.#newId();
    const added = async (): Promise<{ token: string; recipient: string | null }> => {
      if (room.sealing === 'open') {
        return { ...(await api.devices.add(room.id, id, name, null, false)), recipient: null };
      }
      return home.keeper.withRequests([room.id], 'device', async ([request]) => {
        if (request === undefined) throw new Error('one request per room');
        const devices = [...request.devices, id];
        const made = await sealing.nextEpoch({ ...request, devices, addDoor: id });
        const { token } = await api.devices.add(room.id, id, name, made.bundle, plain);
        return { token, recipient: plain ? null : made.doorRecipient };
      });
    };
    const { token, recipient } = await added();
    await home.rooms.company(handle);
    const lines = await this.#lines({ room: room.id, device: id, token, recipient });
    return { id, name, token, ...lines };
  }

  async deviceLines(roomId: string, deviceId: string): Promise<DeviceLines> {
    const { room } = this.#home.rooms.need(roomId);
    const device = parseId(deviceId);
    const listed = await this.#home.parts.api.devices.list(room.id);
    const known = listed.find(({ id }) => id === device);
    const door = { room: room.id, device, token: null };
    if (room.sealing === 'open' || known?.plain === true) {
      return this.#lines({ ...door, recipient: null });
    }
    const { keeper } = this.#home;
    const doorIn = (view: KeyView | null): string | null =>
      view?.doors.find(([id]) => id === device)?.[1] ?? null;
    const view = keeper.view(room.id);
    const mayMake = known !== undefined && view?.mayBuild === true;
    // Its words never go out in clear because it has no door, nor to a false one.
    const recipient =
      doorIn(view) ??
      (mayMake
        ? doorIn(await keeper.rotate(room.id, 'device', (now) => doorIn(now) === null))
        : null);
    if (recipient === null) {
      throw new ProblemError('no_door', 'the room’s key does not name this device yet', '');
    }
    return this.#lines({ ...door, recipient });
  }

  async #lines(door: NewDoor): Promise<DeviceLines> {
    const { api } = this.#home.parts;
    const seals = door.recipient !== null;
    return { seals, ...deviceLines(await api.auth.health(), this.#home.parts, door) };
  }

  async sealForDevice(roomId: string, deviceId: string, plain: boolean): Promise<void> {
    const handle = this.#home.rooms.need(roomId);
    await this.#home.parts.api.devices.change(parseId(deviceId), plain);
    await this.#home.rooms.company(handle);
  }

  async removeDevice(roomId: string, deviceId: string): Promise<void> {
    const home = this.#home;
    const handle = home.rooms.need(roomId);
    const id = parseId(deviceId);
    await home.parts.api.devices.remove(id);
    if (handle.room.sealing === 'sealed') {
      await home.keeper.rotate(
        handle.room.id,
        'device',
        ({ doors }) => doors.some(([device]) => device === id),
        (request) => ({ ...request, devices: request.devices.filter((one) => one !== id) }),
      );
    }
    await home.rooms.company(handle);
  }
}
