// What one was alerted to, as the box lists it.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Http } from './http';

export interface Notification {
  readonly id: Id;
  readonly type: 'mention' | 'reply' | 'room_invite' | 'direct_message';
  readonly room: Id;
  readonly message: Id | null;
  readonly position: number;
  readonly by: Id | null;
  /** The beginning of an open room's message, an invite's room; null in sealed rooms. */
  readonly content: string | null;
  readonly at: number;
  readonly read: boolean;
}

const fields = s.object({
  id: s.id,
  type: s.oneOf('mention', 'reply', 'room_invite', 'direct_message'),
  room_id: s.id,
  message_id: s.optional(s.id),
  position: s.withDefault(s.count, 0),
  by: s.optional(s.id),
  content: s.optional(s.text),
  created_at: s.count,
  read: s.flag,
});

export const notification: s.Parser<Notification> = (value, path) => {
  const { room_id, message_id, created_at, ...rest } = fields(value, path);
  return { ...rest, room: room_id, message: message_id, at: created_at };
};
const page = s.object({ notifications: s.list(notification), unread: s.count });
const left = s.object({ unread: s.count });

export class NotificationsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** The newest first, below `before` if given. */
  page(
    limit: number,
    before?: Id,
  ): Promise<{ readonly notifications: readonly Notification[]; readonly unread: number }> {
    const from = before === undefined ? '' : `&before=${before}`;
    return this.#http.ask('GET', `/api/notifications?limit=${limit}${from}`, page);
  }

  /** How many are unread after that. */
  async read(id: Id): Promise<number> {
    return (await this.#http.ask('PATCH', `/api/notifications/${id}/read`, left)).unread;
  }

  async readAll(): Promise<number> {
    return (await this.#http.ask('PATCH', '/api/notifications/read-all', left)).unread;
  }
}
