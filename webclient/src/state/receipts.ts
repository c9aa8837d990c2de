// How far everybody is in each room, as the box tells it; and telling it how far one is oneself.
import type { Member } from '../api/rooms';
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Clock } from '../session/clock';
import { LinkLost } from '../session/transport';
import type { People } from './people';
import type { Reach } from './model';

/** Positions of a person in a room. */
export interface Receipt {
  readonly delivered: number;
  readonly read: number;
}

const retained = s.map(s.id, s.pair(s.count, s.count));

/** How long reading rests before it is told, in ms: the box tells it on once a second. */
const REST_MS = 400;

export interface ReceiptsDeps {
  readonly clock: Clock;
  readonly isOnline: () => boolean;
  /** To the room's `read` topic. */
  readonly publish: (room: Id, payload: Uint8Array) => Promise<void>;
}

export class Receipts {
  readonly #deps: ReceiptsDeps;
  readonly #rooms = new Map<Id, ReadonlyMap<Id, Receipt>>();
  /** What was read and is not told yet. */
  readonly #due = new Map<Id, number>();
  readonly #told = new Map<Id, number>();
  #cancel: (() => void) | null = null;

  constructor(deps: ReceiptsDeps) {
    this.#deps = deps;
  }

  /** What the box says of a room; throws what a schema throws. */
  heard(room: Id, payload: Uint8Array): void {
    const told = s.parseJson(retained, fromUtf8(payload));
    const known = this.#rooms.get(room);
    const merged = [...told].map(([user, [delivered, read]]) => {
      const before = known?.get(user) ?? { delivered: 0, read: 0 };
      const receipt = {
        delivered: Math.max(before.delivered, delivered, read),
        read: Math.max(before.read, read),
      };
      return [user, receipt] as const;
    });
    this.#rooms.set(room, new Map(merged));
  }

  of(room: Id, user: Id): Receipt | null {
    return this.#rooms.get(room)?.get(user) ?? null;
  }

  /** One has read up to here: told to the box soon, once. */
  mark(room: Id, position: number): void {
    const known = Math.max(this.#told.get(room) ?? 0, this.#due.get(room) ?? 0);
    if (position <= known) return;
    this.#due.set(room, position);
    this.#soon();
  }

  #soon(): void {
    this.#cancel ??= this.#deps.clock.after(REST_MS, () => {
      this.#cancel = null;
      void this.#tell();
    });
  }

  async #tell(): Promise<void> {
    if (!this.#deps.isOnline()) return;
    for (const [room, position] of [...this.#due]) {
      this.#due.delete(room);
      this.#told.set(room, position);
      try {
        await this.#deps.publish(room, utf8(String(position)));
      } catch (error) {
        // A box that takes no read positions is not asked again for the same one.
        if (!(error instanceof LinkLost)) continue;
        this.#told.delete(room);
        if ((this.#due.get(room) ?? 0) < position) this.#due.set(room, position);
      }
    }
  }

  /** The connection is back. */
  wake(): void {
    if (this.#due.size > 0) this.#soon();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** How far one's own message is with those who were in the room when it came. */
  reach(room: Id, at: { position: number; at: number }, company: Company): Reach {
    const { me, members, people } = company;
    const others = members.filter(({ user, joinedAt }) => user.id !== me && joinedAt <= at.at);
    const far = others.map(({ user }) => ({
      person: people.person(user.id),
      ...(this.of(room, user.id) ?? { delivered: 0, read: 0 }),
    }));
    const readBy = far.filter(({ read }) => read >= at.position);
    const deliveredTo = far.filter(({ delivered }) => delivered >= at.position);
    const all = (some: readonly unknown[]): boolean => far.length > 0 && some.length === far.length;
    return {
      kind: all(readBy) ? 'read' : all(deliveredTo) ? 'delivered' : 'stored',
      readBy: readBy.map(({ person }) => person),
      deliveredTo: deliveredTo.map(({ person }) => person),
    };
  }
}

interface Company {
  readonly me: Id;
  readonly members: readonly Member[];
  readonly people: People;
}
