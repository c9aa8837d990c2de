// Who is who: every person this browser was told of, by id.
import type { User } from '../api/users';
import type { Person } from './model';

export class People {
  readonly #known = new Map<string, Person>();

  learn(users: readonly User[]): void {
    for (const { id, name, displayName, role } of users) {
      this.#known.set(id, { id, name, displayName, role });
    }
  }

  /** Somebody, even before the box has said who it is. */
  person(id: string): Person {
    const known = this.#known.get(id);
    return known ?? { id, name: id.slice(-4), displayName: '…', role: 'member' };
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }
}
