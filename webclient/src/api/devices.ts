// Devices of a room.
import { b64u } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';

export interface Device {
  readonly id: Id;
  readonly name: string;
  readonly createdAt: number;
  readonly lastPostAt: number | null;
  /** The box seals what it posts in clear into a sealed room. */
  readonly plain: boolean;
  /** What was refused last since the box was started. */
  readonly lastRefused: { readonly message: string; readonly at: number } | null;
}

const fields = s.object({
  id: s.id,
  name: s.text,
  created_at: s.count,
  last_post_at: s.optional(s.count),
  plain: s.text,
  last_refused: s.optional(s.object({ message: s.text, at: s.count })),
});

const device: s.Parser<Device> = (value, path) => {
  const { created_at, last_post_at, last_refused: lastRefused, ...read } = fields(value, path);
  const rest = { ...read, plain: read.plain === 'seal' };
  const lastPostAt = last_post_at === 0 ? null : last_post_at;
  return { ...rest, createdAt: created_at, lastPostAt, lastRefused };
};

const plainWord = (plain: boolean): string => (plain ? 'seal' : 'refuse');

export class DevicesApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async list(room: Id): Promise<Device[]> {
    const parser = s.object({ devices: s.list(device) });
    return (await this.#http.ask('GET', `/api/rooms/${room}/devices`, parser)).devices;
  }

  add(
    room: Id,
    id: Id,
    name: string,
    bundle: Uint8Array | null,
    plain: boolean,
  ): Promise<{ readonly device: Device; readonly token: string }> {
    const sealed = bundle === null ? {} : { bundle: b64u(bundle), plain: plainWord(plain) };
    const body = { id, name, ...sealed };
    const parser = s.object({ device, token: s.text });
    return this.#http.ask('POST', `/api/rooms/${room}/devices`, parser, { body });
  }

  change(id: Id, plain: boolean): Promise<Device> {
    const body = { plain: plainWord(plain) };
    return this.#http.ask('PATCH', `/api/devices/${id}`, device, { body });
  }

  remove(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/devices/${id}`, nothing);
  }
}
