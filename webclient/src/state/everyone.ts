// Everybody of the house whom this person may see.
import type { User } from '../api/users';
import type { Id } from '../protocol/ids';
import type { Home } from './home';

const PAGE = 100;
/** People that are listed at most; a house has some 25. */
const LISTED_MAX = 1_000;

/** Asks the box; a guest sees the people of the same rooms. */
export async function everyone(home: Home): Promise<readonly User[]> {
  const { api } = home.parts;
  if (home.people.person(home.me).role === 'guest') {
    const lists = await Promise.all(home.rooms.all().map(({ room }) => api.rooms.members(room.id)));
    const met = lists.flatMap(({ members }) => members.map(({ user }) => user));
    return [...new Map(met.map((user) => [user.id, user])).values()];
  }
  const all: User[] = [];
  for (let after: Id | null = null; all.length < LISTED_MAX;) {
    const page: Awaited<ReturnType<typeof api.users.search>> = await api.users.search(
      '',
      PAGE,
      after,
    );
    all.push(...page.users);
    if (page.next === null) break;
    after = page.next;
  }
  return all;
}
