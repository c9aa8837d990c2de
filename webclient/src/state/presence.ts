// Who is there: what the box tells of each person's presence.
import * as s from '../protocol/schema';

const retained = s.object({
  status: s.oneOf('online', 'away', 'busy', 'offline'),
  last_seen: s.optional(s.count),
  status_text: s.withDefault(s.text, ''),
});

export interface Seen {
  readonly presence: 'online' | 'away' | 'busy' | 'offline';
  /** ms since 1970. */
  readonly lastSeen: number | null;
  readonly statusText: string;
}

/** A payload of a `presence` topic; empty: the person is gone, null. */
export function parsePresence(payload: Uint8Array): Seen | null {
  if (payload.length === 0) return null;
  const { status, last_seen, status_text } = s.parseJsonBytes(retained, payload);
  return {
    presence: status,
    lastSeen: last_seen === 0 ? null : last_seen,
    statusText: status_text,
  };
}
