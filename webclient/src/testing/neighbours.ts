// The box's part in memory that is about people: who is there, contacts, blocks, alerts.
import { parseId, type Id } from '../protocol/ids';
import { Refusal, type FakeHouse, type FakeUser } from './house';
import type { Json } from './posts';

interface Told {
  readonly user: Id;
  readonly json: Json & { id: Id; read: boolean };
}

export class Neighbours {
  readonly #house: FakeHouse;
  readonly #view: (user: FakeUser) => Json;
  /** asker → asked. */
  readonly #asked = new Map<Id, Set<Id>>();
  readonly #blocks = new Map<Id, Set<Id>>();
  #told: Told[] = [];

  constructor(house: FakeHouse, view: (user: FakeUser) => Json) {
    this.#house = house;
    this.#view = view;
  }

  /** Undefined: not about people. */
  answer(method: string, path: readonly string[], user: FakeUser): unknown {
    const [, family, first, more] = path;
    switch (family) {
      case 'contacts':
        return this.#contacts(method, first, user);
      case 'blocks':
        return this.#blocked(method, first, user);
      case 'notifications':
        return this.#notifications(method, first, more, user);
      case 'users':
        return first === 'search' ? { users: this.#visible(user), next: null } : undefined;
      default:
        return undefined;
    }
  }

  /** Alerts somebody; the doorbell's words come back. */
  alert(user: Id, fields: Json): Json {
    const json = { id: this.#house.newId(), read: false, created_at: 1, ...fields };
    this.#told = [{ user, json }, ...this.#told];
    return { type: 'notification', notification: json };
  }

  #set(map: Map<Id, Set<Id>>, of: Id): Set<Id> {
    const found = map.get(of) ?? new Set<Id>();
    map.set(of, found);
    return found;
  }

  #visible({ id }: FakeUser): Json[] {
    const hidden = (other: Id): boolean =>
      this.#set(this.#blocks, id).has(other) || this.#set(this.#blocks, other).has(id);
    return [...this.#house.users.values()]
      .filter((other) => !hidden(other.id))
      .map((other) => this.#view(other));
  }

  #state(me: Id, other: Id): string | null {
    const [mine, theirs] = [
      this.#set(this.#asked, me).has(other),
      this.#set(this.#asked, other).has(me),
    ];
    if (mine && theirs) return 'accepted';
    return mine ? 'asked' : theirs ? 'asks' : null;
  }

  #contacts(method: string, first: string | undefined, { id }: FakeUser): unknown {
    const list = [...this.#house.users.values()].flatMap((other) => {
      const state = this.#state(id, other.id);
      return state === null ? [] : [{ user: this.#view(other), state, since: 1 }];
    });
    if (first === undefined) return { contacts: list };
    const other = parseId(first);
    if (method === 'PUT') this.#set(this.#asked, id).add(other);
    if (method === 'DELETE') {
      this.#set(this.#asked, id).delete(other);
      this.#set(this.#asked, other).delete(id);
      return null;
    }
    const user = this.#house.users.get(other);
    if (user === undefined) throw new Refusal(404, 'not_found');
    return { user: this.#view(user), state: this.#state(id, other), since: 1 };
  }

  #blocked(method: string, first: string | undefined, { id }: FakeUser): unknown {
    const mine = this.#set(this.#blocks, id);
    if (method === 'PUT' && first !== undefined) mine.add(parseId(first));
    if (method === 'DELETE' && first !== undefined) mine.delete(parseId(first));
    if (method !== 'GET') return null;
    const blocks = [...mine].flatMap((other) => {
      const user = this.#house.users.get(other);
      return user === undefined ? [] : [{ user: this.#view(user), since: 1 }];
    });
    return { blocks };
  }

  #notifications(
    method: string,
    first: string | undefined,
    more: string | undefined,
    { id }: FakeUser,
  ): unknown {
    const mine = this.#told.filter(({ user }) => user === id).map(({ json }) => json);
    if (method === 'PATCH') {
      const chosen = more === 'read' ? mine.filter((one) => one.id === first) : mine;
      if (chosen.length === 0 && more === 'read') throw new Refusal(404, 'not_found');
      for (const one of chosen) one.read = true;
    }
    const unread = mine.filter(({ read }) => !read).length;
    return method === 'PATCH' ? { unread } : { notifications: mine, unread };
  }
}
