// Which rooms a text names: `#name`, by the names of the rooms of whoever reads.

export interface RoomName {
  readonly id: string;
  readonly name: string;
}

/** Where a room's name stands in a text, `#` included. */
export interface NamedRoom {
  readonly from: number;
  readonly to: number;
  readonly room: RoomName;
}

const SIGN = /(?<![\w#&/.])#(?=\S)/g;

/** The longest name that stands behind a sign; names may hold spaces. */
function behind(text: string, at: number, rooms: readonly RoomName[]): RoomName | null {
  let found: RoomName | null = null;
  for (const room of rooms) {
    const { length } = room.name;
    if (length === 0 || length <= (found?.name.length ?? 0)) continue;
    const there = text.slice(at, at + length);
    if (there.toLowerCase() !== room.name.toLowerCase()) continue;
    if (!/^[\p{L}\p{N}_]/u.test(text.slice(at + length))) found = room;
  }
  return found;
}

/** Every room that a text names, in their order. */
export function roomsIn(text: string, rooms: readonly RoomName[]): NamedRoom[] {
  return [...text.matchAll(SIGN)].flatMap(({ index }) => {
    const room = behind(text, index + 1, rooms);
    return room === null ? [] : [{ from: index, to: index + 1 + room.name.length, room }];
  });
}
