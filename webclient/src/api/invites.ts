// Invites: made by members, looked at and taken by newcomers.
import { b64u } from '../protocol/bytes';
import type { Id, InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { joinsJson, type JoinProof } from './auth';
import type { Http } from './http';

export interface NewInvite {
  readonly code: InviteCode;
  readonly authHash: Uint8Array;
  readonly blob: Uint8Array;
  readonly expiresAt: number;
  readonly uses: number;
  readonly bundles: readonly { readonly room: Id; readonly bundle: Uint8Array }[];
}

const look = s.object({
  house: s.text,
  rooms: s.list(s.object({ id: s.id, name: s.text }), 1_000),
  inviter: s.optional(s.text),
  expires_at: s.count,
  blob: s.optional(s.bytes()),
});

export class InvitesApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  make(room: Id, { authHash, blob, expiresAt, bundles, ...rest }: NewInvite): Promise<unknown> {
    const body = {
      ...rest,
      auth_hash: b64u(authHash),
      blob: b64u(blob),
      expires_at: expiresAt,
      bundles: bundles.map((one) => ({ room: one.room, bundle: b64u(one.bundle) })),
    };
    return this.#http.ask('POST', `/api/rooms/${room}/invites`, s.anything, { body });
  }

  look(code: InviteCode, auth: Uint8Array): Promise<s.Parsed<typeof look>> {
    const headers = { 'invite-auth': b64u(auth) };
    return this.#http.ask('GET', `/api/invites/${code}`, look, { headers, anonymous: true });
  }

  accept(code: InviteCode, auth: Uint8Array, joins: readonly JoinProof[]): Promise<unknown> {
    const body = { auth: b64u(auth), joins: joinsJson(joins) };
    return this.#http.ask('POST', `/api/invites/${code}/accept`, s.anything, { body });
  }

  /** The codes of a room's invites that were revoked. */
  async revoked(room: Id): Promise<InviteCode[]> {
    const one = s.object({ code: s.code, revoked: s.flag });
    const parser = s.object({ invites: s.list(one) });
    const { invites } = await this.#http.ask('GET', `/api/rooms/${room}/invites`, parser);
    return invites.filter(({ revoked }) => revoked).map(({ code }) => code);
  }
}
