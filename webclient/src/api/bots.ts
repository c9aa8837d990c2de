// Accounts of programs, and what is granted beyond the rooms: bots and plain MQTT topics.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { access, madeToken, token, type MadeToken, type OwnToken } from './account';
import { nothing, type Http } from './http';

const grant = s.object({
  id: s.id,
  user_id: s.optional(s.id),
  device_id: s.optional(s.id),
  filter: s.text,
  access,
  created_at: s.count,
  created_by: s.optional(s.id),
});

/** MQTT topics beside the rooms for a person or a device; `created_by` null: the box's shell. */
export type Grant = s.Parsed<typeof grant>;

export interface NewGrant {
  readonly holder: { readonly user_id: Id } | { readonly device_id: Id };
  readonly filter: string;
  readonly access: Grant['access'];
}

export interface NewBot {
  readonly name: string;
  /** Empty: the name. */
  readonly displayName: string;
  readonly label: string;
  readonly scope: OwnToken['scope'];
}

export class BotsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** A bot and its first token's text. */
  async make({ name, displayName, label, scope }: NewBot): Promise<string> {
    const shown = displayName === '' ? {} : { display_name: displayName };
    const body = { name, ...shown, token: { label, scope } };
    return (await this.#http.ask('POST', '/api/bots', s.object({ token: s.text }), { body })).token;
  }

  async tokens(bot: Id): Promise<OwnToken[]> {
    const parser = s.object({ tokens: s.list(token, 1_000) });
    return (await this.#http.ask('GET', `/api/bots/${bot}/tokens`, parser)).tokens;
  }

  makeToken(bot: Id, label: string, scope: OwnToken['scope']): Promise<MadeToken> {
    const body = { label, scope };
    return this.#http.ask('POST', `/api/bots/${bot}/tokens`, madeToken, { body });
  }

  endToken(bot: Id, id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/bots/${bot}/tokens/${id}`, nothing);
  }

  async grants(): Promise<Grant[]> {
    const parser = s.object({ grants: s.list(grant) });
    return (await this.#http.ask('GET', '/api/grants', parser)).grants;
  }

  grant({ holder, ...rest }: NewGrant): Promise<Grant> {
    return this.#http.ask('POST', '/api/grants', grant, { body: { ...holder, ...rest } });
  }

  endGrant(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/grants/${id}`, nothing);
  }
}
