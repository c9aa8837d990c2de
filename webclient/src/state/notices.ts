// What one was alerted to: the box's notices, with the words of sealed rooms that this browser
// opened, and the mentions there that the box cannot know of.
import { notification, type Notification } from '../api/notifications';
import { isId, parseId } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Fact } from '../session/fact';
import type { EventFact } from './folded';
import type { Home } from './home';
import { mentioned } from './mentions';
import type { Alert, Notice } from './people_model';
import type { RoomHandle } from './room';

const PAGE = 50;
/** Characters of a message in a notice. */
const WORDS = 200;

const doorbell = s.object({
  type: s.text,
  notification: s.optional(notification),
  id: s.optional(s.id),
  unread: s.optional(s.count),
});

type Message = EventFact & { readonly body: { readonly type: 'message' } };
const isMessage = (fact: Fact): fact is Message =>
  fact.kind === 'event' && fact.body.type === 'message';

export class Notices {
  readonly #home: Home;
  #kept: readonly Notification[] = [];
  #unread = 0;
  #older = false;
  /** Mentions found here that were looked at in the list. */
  readonly #seen = new Set<string>();

  constructor(home: Home) {
    this.#home = home;
  }

  get older(): boolean {
    return this.#older;
  }

  async load(): Promise<void> {
    const { notifications, unread } = await this.#home.parts.api.notifications.page(PAGE);
    this.#kept = notifications;
    this.#unread = unread;
    this.#older = notifications.length === PAGE;
  }

  async loadOlder(): Promise<void> {
    const last = this.#kept.at(-1);
    if (last === undefined) return this.load();
    const page = await this.#home.parts.api.notifications.page(PAGE, last.id);
    this.#kept = [...this.#kept, ...page.notifications];
    this.#unread = page.unread;
    this.#older = page.notifications.length === PAGE;
  }

  /** A doorbell; true: it was about notices alone. */
  rang(payload: Uint8Array): boolean {
    const { type, notification: one, id, unread } = s.parseJsonBytes(doorbell, payload);
    if (type === 'notification' && one !== null) {
      if (this.#kept.some((known) => known.id === one.id)) return true;
      this.#kept = [one, ...this.#kept];
      this.#unread += one.read ? 0 : 1;
      return one.type !== 'room_invite';
    }
    if (type !== 'notifications_read') return false;
    this.#kept = this.#kept.map((known) =>
      id === null || known.id === id ? { ...known, read: true } : known,
    );
    this.#unread = unread ?? 0;
    return true;
  }

  async read(id: string): Promise<void> {
    if (!isId(id)) throw new Error('a notice has an id');
    if (!this.#kept.some((one) => one.id === id)) return void this.#seen.add(id);
    this.#unread = await this.#home.parts.api.notifications.read(id);
    this.#kept = this.#kept.map((one) => (one.id === id ? { ...one, read: true } : one));
  }

  async readAll(): Promise<void> {
    for (const { id } of this.#found()) this.#seen.add(id);
    this.#unread = await this.#home.parts.api.notifications.readAll();
    this.#kept = this.#kept.map((one) => ({ ...one, read: true }));
  }

  list(): { readonly notices: readonly Notice[]; readonly unread: number } {
    const found = this.#found();
    const here = new Set(this.#kept.map(({ message }) => message));
    const more = found.filter(
      ({ message }) => !here.has(message === null ? null : parseId(message)),
    );
    const notices = [...this.#kept.map((one) => this.#view(one)), ...more];
    const unread = this.#unread + more.filter(({ read }) => !read).length;
    return { notices: notices.toSorted((a, b) => b.at - a.at), unread };
  }

  #view({ id, type, room, message, by, content, at, read }: Notification): Notice {
    const { rooms, people } = this.#home;
    const handle = rooms.get(room);
    return {
      id,
      kind: type,
      room,
      roomName: handle === null ? (type === 'room_invite' ? content : null) : titleOf(handle),
      message,
      by: by === null ? null : people.person(by),
      text: type === 'room_invite' ? null : (content ?? textIn(handle, message)),
      at,
      read,
    };
  }

  /** Mentions and answers in sealed rooms that are not read yet: the box cannot see them. */
  #found(): Notice[] {
    const { rooms } = this.#home;
    const sealed = rooms.all().filter(({ room }) => {
      return room.sealing === 'sealed' && room.type !== 'direct' && room.notify !== 'muted';
    });
    return sealed.flatMap((handle) => this.#foundIn(handle));
  }

  #foundIn(handle: RoomHandle): Notice[] {
    const { me } = this.#home;
    const facts = handle.log.facts();
    const news = facts.slice(
      1 + facts.findLastIndex(({ position }) => position <= handle.log.read),
    );
    const mine = (id: string | null): boolean =>
      id !== null &&
      facts.some((fact) => fact.kind === 'event' && fact.id === id && fact.sender === me);
    return news.flatMap((fact): Notice[] => {
      if (!isMessage(fact) || fact.sender === me) return [];
      if (this.#names(fact)) return [this.#local(handle, fact, 'mention')];
      return mine(fact.body.parentId) ? [this.#local(handle, fact, 'reply')] : [];
    });
  }

  #local(handle: RoomHandle, { id, sender, body, at }: Message, kind: 'mention' | 'reply'): Notice {
    return {
      id,
      kind,
      room: handle.room.id,
      roomName: titleOf(handle),
      message: id,
      by: this.#home.people.person(sender),
      text: body.content.slice(0, WORDS),
      at,
      read: this.#seen.has(id),
    };
  }

  #names({ body }: Message): boolean {
    const { me, people } = this.#home;
    return body.mentions.includes(me) || mentioned(body.content, [people.person(me)]).length > 0;
  }

  /** What of the events that just came is worth a word outside the page. */
  alertsOf(handle: RoomHandle, facts: readonly Fact[]): Alert[] {
    const { room } = handle;
    if (room.notify === 'muted') return [];
    return facts.flatMap((fact): Alert[] => {
      if (!isMessage(fact) || fact.sender === this.#home.me) return [];
      const named = this.#names(fact);
      if (!named && (room.type !== 'direct' || room.notify === 'mentions')) return [];
      return [
        {
          kind: named ? 'mention' : 'direct_message',
          room: room.id,
          roomName: titleOf(handle),
          message: fact.id,
          by: this.#home.people.person(fact.sender),
          text: fact.body.content.slice(0, WORDS),
        },
      ];
    });
  }
}

const titleOf = ({ room }: RoomHandle): string => room.name;

/** The words of a message that this browser has opened. */
function textIn(handle: RoomHandle | null, message: string | null): string | null {
  if (handle === null || message === null) return null;
  const fact = handle.log.facts().find((one) => one.kind === 'event' && one.id === message);
  return fact !== undefined && isMessage(fact) ? fact.body.content.slice(0, WORDS) : null;
}
