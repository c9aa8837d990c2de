// Reports of messages: the queue of whoever keeps order.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user } from './users';

const decision = s.object({
  by: s.id,
  verdict: s.oneOf('upheld', 'dismissed'),
  note: s.text,
  at: s.count,
});

/** The message of an open room as it is now. */
const message = s.object({
  content: s.withDefault(s.text, ''),
  deleted: s.optional(s.anything),
});

const report = s.object({
  id: s.id,
  by: s.optional(user),
  room_id: s.id,
  message_id: s.id,
  sender: s.optional(s.id),
  reason: s.text,
  has_evidence: s.flag,
  evidence: s.optional(s.bytes()),
  message: s.optional(message),
  created_at: s.count,
  decision: s.optional(decision),
});

const page = s.object({ reports: s.list(report), next: s.optional(s.id) });

export type Report = s.Parsed<typeof report>;
export type ReportStatus = 'open' | 'decided';
export type Ruling = 'dismiss' | 'uphold' | 'delete' | 'kick' | 'mute' | 'ban';

/** `minutes`: of a mute or a ban; null: until it is lifted. */
export interface Decided {
  readonly decision: Ruling;
  readonly note: string;
  readonly minutes: number | null;
}

const PAGE = 20;

export class ReportsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** Open ones, the oldest first; decided ones, the newest first. The next page follows `next`. */
  page(status: ReportStatus, from: Id | null): Promise<s.Parsed<typeof page>> {
    const query = new URLSearchParams({ status, limit: String(PAGE) });
    if (from !== null) query.set(status === 'open' ? 'after' : 'before', from);
    return this.#http.ask('GET', `/api/reports?${query}`, page);
  }

  /** The report with its evidence. */
  one(id: Id): Promise<Report> {
    return this.#http.ask('GET', `/api/reports/${id}`, report);
  }

  decide(id: Id, { minutes, ...rest }: Decided): Promise<null> {
    const body = { ...rest, ...(minutes === null ? {} : { minutes }) };
    return this.#http.ask('PATCH', `/api/reports/${id}`, nothing, { body });
  }
}
