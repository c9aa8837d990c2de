// Where one can go by a few letters: the rooms one is in, then the people one can write to.
import type { Person, RoomSummary } from '../../state/model';
import type { Profile } from '../../state/people_model';
import { matchingBy } from './matching';

export type Goal =
  | { readonly kind: 'room'; readonly id: string; readonly room: RoomSummary }
  /** No direct chat with them is here yet. */
  | { readonly kind: 'person'; readonly id: string; readonly person: Person };

const namesOfRoom = ({ name, other }: RoomSummary): readonly string[] =>
  other === null ? [name] : [name, other.person.name];

/** Rooms and people of these letters; those whose name begins so first. */
export function goalsOf(
  rooms: readonly RoomSummary[],
  everyone: readonly Profile[],
  wanted: string,
): readonly Goal[] {
  const met = new Set(rooms.map(({ other }) => other?.person.id));
  const people = everyone.filter(
    ({ person, mayWrite, blocked }) =>
      mayWrite && !blocked && !met.has(person.id) && person.role !== 'bot',
  );
  return [
    ...matchingBy(rooms, wanted, namesOfRoom).map((room): Goal => ({
      kind: 'room',
      id: room.id,
      room,
    })),
    ...matchingBy(people, wanted, ({ person }) => [person.displayName, person.name]).map(
      ({ person }): Goal => ({ kind: 'person', id: person.id, person }),
    ),
  ];
}
