// A box in memory for tests: accounts, rooms, epochs, invites, history; REST in, MQTT through links.
import type { Asking } from '../api/http';
import { b64u, concat, equal, fromB64u, fromUtf8, utf8 } from '../protocol/bytes';
import { encodeFrame, type Class } from '../protocol/frame';
import { idBytes, isId, newId, parseId, type Id } from '../protocol/ids';
import { parseJson, record, text } from '../protocol/schema';
import { parseBundle, announcement } from '../sealing/bundle';
import { parseWire } from '../sealing/event';
import { sha256 } from '../sealing/kdf';
import type { Clock } from '../session/clock';
import { Refused, LinkLost, type LinkEvents, type Transport } from '../session/transport';
import { FakeFiles } from './files';
import { Posts, type Json } from './posts';

export interface FakeUser {
  readonly id: Id;
  readonly name: string;
  login: Json;
  profile: Json;
  readonly cards: string[];
  vault: Json | null;
  vaultVersion: number;
}

export interface Stored {
  readonly id: Id;
  readonly position: number;
  readonly receivedAt: number;
  readonly class: Class;
  readonly sender: Id | null;
  readonly bytes: Uint8Array;
}

export interface FakeRoom {
  readonly id: Id;
  readonly name: string;
  readonly type: string;
  readonly sealing: 'sealed' | 'open';
  readonly general: boolean;
  readonly members: Map<Id, string>;
  readonly bundles: Uint8Array[];
  readonly devices: { id: Id; name: string; plain: string }[];
  readonly events: Stored[];
  proofs: { user: Id; code: string; proof: string }[];
  rotationDue: boolean;
  /** Person → delivered, read. */
  readonly receipts: Map<Id, readonly [number, number]>;
}

export interface FakeInvite {
  readonly code: string;
  readonly rooms: Id[];
  readonly by: Id;
  readonly authHash: Uint8Array;
  readonly blob: string;
  readonly expiresAt: number;
  uses: number;
}

interface LiveLink {
  readonly user: Id;
  readonly events: LinkEvents;
}

/** How the next publish is treated. */
export type Fault =
  | { readonly kind: 'refuse'; readonly reason: number; readonly text: string }
  /** Stored, and the link breaks before the acknowledgement. */
  | { readonly kind: 'lose_ack' }
  /** The link breaks before anything is stored. */
  | { readonly kind: 'lose_message' };

export class FakeHouse {
  readonly clock: Clock;
  readonly users = new Map<Id, FakeUser>();
  readonly rooms = new Map<Id, FakeRoom>();
  readonly invites = new Map<string, FakeInvite>();
  readonly sessions = new Map<string, Id>();
  /** Links for a new password: secret → whose. */
  readonly resets = new Map<string, string>();
  readonly channels = new Map<string, { endsAt: number; messages: Uint8Array[] }>();
  /** A middle man in pairings: what stands in the channel instead of the n-th message. */
  between: ((message: Uint8Array, n: number) => Uint8Array) | null = null;
  readonly faults: Fault[] = [];
  house: string | null = null;
  /** No link comes about. */
  down = false;
  #links = new Set<LiveLink>();
  #drawn = 0;
  #listeners: ((topic: string, payload: Uint8Array) => void)[] = [];
  readonly #posts = new Posts(this);
  readonly files = new FakeFiles(this);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  fetch = async (path: string, init: Asking): Promise<Response> => {
    if (this.down) throw new TypeError('network');
    if (path.startsWith('/api/attachments/')) return this.files.answer(path, init);
    return this.#posts.answer(path, init);
  };

  newId(): Id {
    const random = new Uint8Array(10);
    new DataView(random.buffer).setUint32(6, ++this.#drawn);
    return newId(this.clock.now(), random);
  }

  userByName(name: string): FakeUser | undefined {
    return [...this.users.values()].find((user) => user.name === name);
  }

  /** Alerts somebody, and rings at their door. */
  alert(user: Id, fields: Json): void {
    this.ring(user, this.#posts.neighbours.alert(user, fields));
  }

  /** A word to one person alone. */
  ring(user: Id, json: Json, topic = `hearth/users/${user}/inbox`): void {
    for (const link of this.#links) {
      if (link.user === user) link.events.message(topic, utf8(JSON.stringify(json)));
    }
  }

  /** Stores an event and sends it to everybody in the room. */
  store(room: FakeRoom, kind: Class, sender: Id | null, bytes: Uint8Array, id?: Id): Stored {
    const stored: Stored = {
      id: id ?? this.newId(),
      position: (room.events.at(-1)?.position ?? 0) + 1,
      receivedAt: this.clock.now(),
      class: kind,
      sender,
      bytes,
    };
    room.events.push(stored);
    this.#deliver(room, `hearth/rooms/${room.id}/out`, this.payload(room, stored));
    return stored;
  }

  line(room: FakeRoom, line: Json): void {
    this.store(room, 'line', null, utf8(JSON.stringify(line)));
  }

  item(room: FakeRoom, stored: Stored): Json {
    const { id, position, receivedAt: received_at } = stored;
    if (room.sealing === 'sealed') {
      const kind = ['event', 'door', 'line'].indexOf(stored.class) + 1;
      return { id, position, received_at, class: kind, sealed: b64u(stored.bytes) };
    }
    const body = parseJson(record, fromUtf8(stored.bytes));
    const isDoor = stored.class === 'door';
    const sender = isDoor ? null : stored.sender;
    const device = isDoor ? stored.sender : null;
    const attachments = this.files.told(body['attachments']);
    return { content: '', ...body, attachments, id, position, received_at, sender, device };
  }

  payload(room: FakeRoom, stored: Stored): Uint8Array {
    if (room.sealing === 'sealed') return encodeFrame(stored);
    return utf8(JSON.stringify(this.item(room, stored)));
  }

  /** Hears what the box sends to anybody. */
  listen(run: (topic: string, payload: Uint8Array) => void): void {
    this.#listeners.push(run);
  }

  #deliver(room: FakeRoom, topic: string, payload: Uint8Array, only?: Id): void {
    for (const run of this.#listeners) run(topic, payload);
    for (const link of this.#links) {
      if (only !== undefined && link.user !== only) continue;
      if (room.members.has(link.user)) link.events.message(topic, payload.slice());
    }
  }

  addBundle(room: FakeRoom, bytes: Uint8Array, by: Id): void {
    const { header } = parseBundle(bytes);
    const head = room.bundles.at(-1);
    const prev = head === undefined ? new Uint8Array(32) : parseBundle(head).headerHash;
    if (header.epoch !== room.bundles.length + 1 || !equal(header.prev, prev)) {
      throw new Refusal(409, 'epoch_taken');
    }
    if (header.by !== by) throw new Refusal(400, 'bad_bundle');
    if (header.members.some(([user]) => !room.members.has(user))) {
      throw new Refusal(409, 'lists_stranger');
    }
    room.bundles.push(bytes);
    room.rotationDue = false;
    const listed = new Set(header.members.map(([user]) => user));
    room.proofs = room.proofs.filter(({ user }) => !listed.has(user));
    this.line(room, { type: 'epoch', epoch: header.epoch, by });
    const payload = announcement(parseBundle(bytes));
    this.#deliver(room, `hearth/rooms/${room.id}/key`, payload);
  }

  /** The MQTT of one browser. */
  transport(): Transport {
    return {
      open: async ({ password }, subscriptions, events) => {
        if (this.down) throw new LinkLost('down');
        const user = this.sessions.get(password);
        if (user === undefined) throw new Refused(0x87, 'bad_token: sign in again');
        const { after } = await subscriptions();
        const link: LiveLink = { user, events };
        this.#links.add(link);
        queueMicrotask(() => this.#backlog(link, after));
        return {
          publish: (topic, payload) => this.#publish(link, topic, payload),
          tell: (topic, payload) => this.tell(topic, payload),
          close: () => void this.#links.delete(link),
        };
      },
    };
  }

  /** What is passed on to whoever is connected. */
  tell(topic: string, payload: Uint8Array): void {
    const room = this.rooms.get(parseId(topic.split('/')[2] ?? ''));
    if (room !== undefined) this.#deliver(room, topic, payload);
  }

  /** Everybody's receipts, as the box tells them. */
  tellReceipts(room: FakeRoom, only?: Id): void {
    const payload = utf8(JSON.stringify(Object.fromEntries(room.receipts)));
    this.#deliver(room, `hearth/rooms/${room.id}/receipts`, payload, only);
  }

  #read(link: LiveLink, room: FakeRoom, payload: Uint8Array): void {
    const read = Number(fromUtf8(payload));
    room.receipts.set(link.user, [room.events.length, read]);
    this.tellReceipts(room);
  }

  /** Erases an event: its place and its header stay. */
  erase(room: FakeRoom, id: Id, by: Id): void {
    const at = room.events.findIndex((stored) => stored.id === id);
    const found = room.events[at];
    if (found === undefined) throw new Refusal(404, 'not_found');
    const line = { type: 'erased', target: id, by };
    const left: Stored =
      room.sealing === 'sealed'
        ? { ...found, bytes: found.bytes.slice(0, 50) }
        : { ...found, class: 'line', sender: null, bytes: utf8(JSON.stringify(line)) };
    room.events[at] = left;
    this.line(room, line);
  }

  #backlog(link: LiveLink, after: readonly (readonly [Id, number])[]): void {
    for (const room of this.rooms.values()) {
      if (room.receipts.size > 0) this.tellReceipts(room, link.user);
    }
    for (const [id, position] of after) {
      const room = this.rooms.get(id);
      if (room === undefined || !room.members.has(link.user)) continue;
      for (const stored of room.events.filter((one) => one.position > position)) {
        link.events.message(`hearth/rooms/${id}/out`, this.payload(room, stored));
      }
    }
  }

  /** Every link breaks. */
  cut(): void {
    const links = [...this.#links];
    this.#links.clear();
    for (const { events } of links) events.lost(new LinkLost('cut'));
  }

  async #publish(link: LiveLink, topic: string, payload: Uint8Array): Promise<void> {
    if (!this.#links.has(link)) throw new LinkLost('closed');
    const room = this.rooms.get(parseId(topic.split('/')[2] ?? ''));
    if (room !== undefined && topic.includes('/read/')) return this.#read(link, room, payload);
    const fault = this.faults.shift();
    if (fault?.kind === 'refuse') throw new Refused(fault.reason, fault.text);
    if (room !== undefined && fault?.kind !== 'lose_message') this.#take(room, link.user, payload);
    if (fault !== undefined) {
      this.cut();
      throw new LinkLost('lost');
    }
  }

  #take(room: FakeRoom, user: Id, payload: Uint8Array): void {
    const id = room.sealing === 'sealed' ? parseWire(payload).id : openId(payload);
    const known = room.events.find((stored) => stored.id === id);
    if (known !== undefined) return;
    if (room.sealing === 'sealed') this.#checkEpoch(room, user, payload);
    this.store(room, 'event', user, payload, id);
  }

  #checkEpoch(room: FakeRoom, user: Id, payload: Uint8Array): void {
    const { epoch } = parseWire(payload);
    const head = room.bundles.at(-1);
    const listed =
      head !== undefined && parseBundle(head).header.members.some(([one]) => one === user);
    if (!listed) throw new Refused(0x87, 'not_listed: wait for a key');
    if (room.rotationDue) throw new Refused(0x99, 'rotate_first: make the next epoch');
    if (epoch !== room.bundles.length) throw new Refused(0x99, 'stale_epoch: fetch the bundles');
  }

  /** A device's post to its door. */
  post(room: FakeRoom, device: Id, file: Uint8Array): void {
    const id = this.newId();
    const bytes = room.sealing === 'sealed' ? concat(idBytes(device), idBytes(id), file) : file;
    this.store(room, 'door', device, bytes, id);
  }
}

function openId(payload: Uint8Array): Id {
  const { id } = parseJson(record, fromUtf8(payload));
  const name = text(id, 'id');
  if (!isId(name)) throw new Refused(0x99, 'bad_event: no id');
  return name;
}

/** What REST answers instead. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export const sameHash = (auth: string, hash: Uint8Array): boolean =>
  equal(sha256(fromB64u(auth)), hash);
