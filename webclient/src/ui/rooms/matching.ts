// Rooms by a few letters of their name.
import { folded } from '../../protocol/folded';
import type { RoomSummary } from '../../state/model';

/** Rooms whose name has `wanted` in it; those that begin with it first. */
export function matching(rooms: readonly RoomSummary[], wanted: string): RoomSummary[] {
  const needle = folded(wanted.trim());
  const rank = (room: RoomSummary): number => {
    const at = folded(room.name).indexOf(needle);
    return at < 0 ? 2 : at === 0 ? 0 : 1;
  };
  return rooms
    .map((room) => ({ room, rank: rank(room) }))
    .filter((entry) => entry.rank < 2)
    .sort((one, other) => one.rank - other.rank)
    .map((entry) => entry.room);
}
