// Who is who: every person this browser was told of, by id.
import type { User } from '../api/users';
import type { Person } from './model';
import type { Seen } from './presence';

/** What is known of somebody besides who they are. */
export interface Details {
  readonly statusText: string;
  /** ms since 1970. */
  readonly lastSeen: number | null;
}

/** Somebody as the box tells of them, or as this browser kept them. */
type Told = Pick<User, 'id' | 'name' | 'displayName' | 'role'> &
  Partial<Details & Pick<Person, 'avatar'>>;

const NOTHING: Details = { statusText: '', lastSeen: null };

export class People {
  readonly #known = new Map<string, Person>();
  readonly #details = new Map<string, Details>();
  readonly #seen = new Map<string, Seen>();

  learn(users: readonly Told[]): void {
    for (const { id, name, displayName, role, statusText, lastSeen, avatar } of users) {
      // Who was kept here without a picture keeps the one that is known.
      const known = this.#known.get(id)?.avatar ?? null;
      const picture = avatar === undefined ? known : avatar;
      this.#known.set(id, { id, name, displayName, role, avatar: picture });
      if (statusText !== undefined && lastSeen !== undefined) {
        this.#details.set(id, { statusText, lastSeen });
      }
    }
  }

  /** The box told who is there; null: no more is known. */
  saw(id: string, seen: Seen | null): void {
    if (seen === null) this.#seen.delete(id);
    else this.#seen.set(id, seen);
  }

  /** Presence by MQTT; null while unknown. */
  seen(id: string): Seen | null {
    return this.#seen.get(id) ?? null;
  }

  details(id: string): Details {
    return this.#seen.get(id) ?? this.#details.get(id) ?? NOTHING;
  }

  /** Somebody, even before the box has said who it is. */
  person(id: string): Person {
    const known = this.#known.get(id);
    return known ?? { id, name: id.slice(-4), displayName: '…', role: 'member', avatar: null };
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }
}
