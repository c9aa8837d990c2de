// The house as a whole: its settings, from where it is reached, what it takes, how it is, its log.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Http } from './http';

const settings = s.object({
  version: s.count,
  house: s.text,
  registration: s.oneOf('invite', 'open'),
  retention_days: s.count,
  retention_bytes: s.count,
  attachment_user_mib: s.optional(s.count),
  attachment_house_mib: s.optional(s.count),
  audit_days: s.optional(s.count),
});

/** Days and bytes 0: all is kept. Null: as the box's limits say. */
export type Settings = s.Parsed<typeof settings>;

const addresses = s.object({
  version: s.count,
  allow: s.list(s.text),
  deny: s.list(s.text),
  yours: s.text,
});

/** Networks like `192.168.1.0/24`; `yours` is the asker's address. */
export type Addresses = s.Parsed<typeof addresses>;

const used = { files: s.count, bytes: s.count };
const storage = s.object({
  house: s.object(used),
  house_bytes_max: s.count,
  user_bytes_max: s.count,
  users: s.list(s.object({ ...used, id: s.id, name: s.text })),
});

/** What attachments take; whoever has the most comes first. */
export type Storage = s.Parsed<typeof storage>;

const health = s.object({
  status: s.text,
  version: s.text,
  mqtt: s.optional(s.text),
  connections: s.count,
  clock: s.withDefault(s.oneOf('trusted', 'doubted'), 'trusted'),
});

export type Health = s.Parsed<typeof health>;

const entry = s.object({
  id: s.id,
  at: s.count,
  by: s.optional(s.id),
  action: s.text,
  subject: s.object({
    type: s.oneOf('house', 'user', 'room', 'message', 'device'),
    id: s.optional(s.id),
  }),
  detail: s.optional(s.record),
});

/** That somebody did something; `by` null: the box's own shell. */
export type Entry = s.Parsed<typeof entry>;

const COUNTS_BYTES_MAX = 1_048_576;
const PAGE = 50;

export class HouseApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  settings(): Promise<Settings> {
    return this.#http.ask('GET', '/api/settings', settings);
  }

  /** Replaces them; `version` is the one that was read. */
  putSettings(body: Settings): Promise<Settings> {
    return this.#http.ask('PUT', '/api/settings', settings, { body });
  }

  addresses(): Promise<Addresses> {
    return this.#http.ask('GET', '/api/settings/addresses', addresses);
  }

  /** `force`: also where that shuts the asker out. */
  putAddresses({ yours: _, ...rules }: Addresses, force: boolean): Promise<Addresses> {
    const body = { ...rules, force };
    return this.#http.ask('PUT', '/api/settings/addresses', addresses, { body });
  }

  storage(): Promise<Storage> {
    return this.#http.ask('GET', '/api/settings/storage', storage);
  }

  health(): Promise<Health> {
    return this.#http.ask('GET', '/health', health, { anonymous: true });
  }

  /** Counts in Prometheus' text format. */
  async counts(): Promise<string> {
    return (await this.#http.read('/metrics', COUNTS_BYTES_MAX)).text();
  }

  /** The newest first; `full`: there may be more. */
  async log(before: Id | null): Promise<{ readonly entries: readonly Entry[]; full: boolean }> {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (before !== null) query.set('before', before);
    const parser = s.object({ entries: s.list(entry) });
    const { entries } = await this.#http.ask('GET', `/api/audit?${query}`, parser);
    return { entries, full: entries.length === PAGE };
  }
}
