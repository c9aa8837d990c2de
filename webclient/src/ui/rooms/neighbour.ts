// The next room up or down the list.
import type { RoomSummary } from '../../state/model';

/** From `current` by `step` (+1 down, -1 up), around the ends; only unread ones when asked. */
export function neighbour(
  rooms: readonly RoomSummary[],
  current: string | null,
  step: 1 | -1,
  which: 'all' | 'unread',
): string | null {
  const from = rooms.findIndex((room) => room.id === current);
  for (let away = 1; away <= rooms.length; away += 1) {
    const start = from < 0 && step < 0 ? 0 : from;
    const at = (start + step * away + rooms.length * 2) % rooms.length;
    const room = rooms[at];
    if (room === undefined || room.id === current) continue;
    if (which === 'all' || room.unread > 0) return room.id;
  }
  return null;
}
