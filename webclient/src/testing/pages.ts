// Pages of history that the box in memory hands out by a place or a time.
import { Refusal, type FakeRoom, type Stored } from './house';

/** The page around a position or an id, or since a time; null: neither was asked for. */
export function pageAt(room: FakeRoom, query: URLSearchParams, limit: number): Stored[] | null {
  const [around, since] = [query.get('around'), query.get('since')];
  if (since !== null) {
    return room.events.filter(({ receivedAt }) => receivedAt >= Number(since)).slice(0, limit);
  }
  if (around === null) return null;
  const at = room.events.findIndex(
    ({ id, position }) => id === around || String(position) === around,
  );
  if (at < 0) throw new Refusal(404, 'not_found');
  const from = Math.max(0, at - Math.floor(limit / 2));
  return room.events.slice(from, from + limit);
}
