// Accounts at the box in memory: logins, passwords, the vault, links for a new password, pairing.
import { b64u, fromB64u } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { Refusal, type FakeHouse, type FakeUser } from './house';
import type { Asked, Json } from './posts';

interface FakeLogin {
  readonly id: Id;
  readonly user: Id;
  readonly label: string;
  readonly refresh: string;
  readonly createdAt: number;
}

const str = (body: Json, name: string): string => s.text(body[name], name);

export class AccountPosts {
  readonly #house: FakeHouse;
  readonly #logins = new Map<string, FakeLogin>();
  readonly #tokens: Json[] = [];

  constructor(house: FakeHouse) {
    this.#house = house;
  }

  /** Undefined: not of this area. */
  answer(asked: Asked): unknown {
    const { method, path, body } = asked;
    const [, family, first, second] = path;
    if (family === 'pair') return this.#pair(asked, first ?? '');
    if (family === 'vault') return this.#vault(asked, this.#user(asked));
    if (family === 'users' && method === 'PATCH') {
      const user = this.#user(asked);
      Object.assign(user.profile, body);
      return this.userView(user);
    }
    if (family !== 'auth') return undefined;
    switch (`${method} ${first}`) {
      case 'POST refresh':
        return this.#refresh(str(body, 'refresh'));
      case 'POST logout':
        return this.#end(this.#login(asked).id);
      case 'POST reset':
        return this.#reset(body);
      case 'PUT password':
        return this.#password(asked);
      case 'GET me':
        return { user: this.userView(this.#user(asked)), session_id: null, vault_version: 1 };
      case 'GET sessions':
        return { sessions: this.#list(asked) };
      case 'POST sessions':
        return this.session(this.#user(asked), str(body, 'label'));
      case 'DELETE sessions':
        return second === undefined ? this.#endOthers(asked) : this.#end(second);
      case 'GET tokens':
        return { tokens: this.#tokens };
      case 'POST tokens': {
        const token = { id: this.#house.newId(), created_at: 1, last_used_at: 0, ...body };
        this.#tokens.push(token);
        return { ...token, token: 'hearth_app_x' };
      }
      case 'DELETE tokens':
        this.#tokens.splice(0);
        return null;
      default:
        return undefined;
    }
  }

  #user({ user }: Asked): FakeUser {
    const found = user === null ? undefined : this.#house.users.get(user);
    if (found === undefined) throw new Refusal(401, 'sign_in');
    return found;
  }

  userView({ id, name, profile }: FakeUser): Json {
    return { id, name, display_name: name, role: 'member', ...profile };
  }

  session(user: FakeUser, label = 'test'): Json {
    const id = this.#house.newId();
    const refresh = `refresh-${id}`;
    this.#logins.set(id, { id, user: user.id, label, refresh, createdAt: this.#house.clock.now() });
    return this.#token(user, id, refresh);
  }

  #token(user: FakeUser, session_id: string, refresh: string): Json {
    const token = `token-${session_id}-${this.#house.newId()}`;
    this.#house.sessions.set(token, user.id);
    const expires_at = this.#house.clock.now() + 86_400_000;
    return { token, expires_at, refresh, session_id, user: this.userView(user) };
  }

  #refresh(secret: string): Json {
    const login = [...this.#logins.values()].find(({ refresh }) => refresh === secret);
    const user = login === undefined ? undefined : this.#house.users.get(login.user);
    if (login === undefined || user === undefined) throw new Refusal(401, 'session_ended');
    return this.#token(user, login.id, secret);
  }

  #login({ token }: Asked): FakeLogin {
    const login = [...this.#logins.values()].find(({ id }) => token.startsWith(`token-${id}`));
    if (login === undefined) throw new Refusal(401, 'sign_in');
    return login;
  }

  #list(asked: Asked): Json[] {
    const current = this.#login(asked);
    const mine = [...this.#logins.values()].filter(({ user }) => user === current.user);
    return mine.map(({ id, label, createdAt: created_at }) => ({
      id,
      label,
      created_at,
      last_seen: created_at,
      current: id === current.id,
    }));
  }

  /** Ends a login, its tokens and its links. */
  #end(id: string): null {
    this.#logins.delete(id);
    for (const token of this.#house.sessions.keys()) {
      if (token.startsWith(`token-${id}`)) this.#house.sessions.delete(token);
    }
    return null;
  }

  #endOthers(asked: Asked): null {
    const current = this.#login(asked);
    for (const { id, user } of [...this.#logins.values()]) {
      if (user === current.user && id !== current.id) this.#end(id);
    }
    return null;
  }

  #reset(body: Json): Json {
    const name = this.#house.resets.get(str(body, 'secret'));
    const user = name === undefined ? undefined : this.#house.userByName(name);
    if (user === undefined) throw new Refusal(404, 'not_found');
    this.#house.resets.delete(str(body, 'secret'));
    user.login = { salt: body['salt'], cost: body['cost'], key: body['new_auth_key'] };
    if (user.vault !== null) user.vault = { ...user.vault, under_login: false };
    return { username: user.name };
  }

  #password(asked: Asked): null {
    const { body } = asked;
    const user = this.#user(asked);
    if (user.login['key'] !== body['auth_key']) throw new Refusal(403, 'wrong_password');
    this.#swap(user, body, true);
    user.login = { salt: body['salt'], cost: body['cost'], key: body['new_auth_key'] };
    user.vault = { ...user.vault, salt: body['salt'], cost: body['cost'] };
    return this.#endOthers(asked);
  }

  #swap(user: FakeUser, body: Json, underLogin: boolean): void {
    const expected = s.count(body['expected_version'], 'expected_version');
    if (expected !== user.vaultVersion) throw new Refusal(409, 'vault_conflict');
    const { vault, recovery } = body;
    const { salt, cost } = user.login;
    const under = underLogin || user.vault === null ? { salt, cost, under_login: true } : {};
    user.vault = { ...user.vault, vault, recovery, ...under };
    user.vaultVersion += 1;
    if (typeof body['card'] === 'string') this.#newCard(user, body['card']);
  }

  /** A card after the first: every sealed room of theirs needs a new epoch. */
  #newCard(user: FakeUser, card: string): void {
    const rooms = [...this.#house.rooms.values()].filter(({ members }) => members.has(user.id));
    for (const room of rooms) room.rotationDue ||= user.cards.length > 0 && room.bundles.length > 0;
    user.cards.push(card);
  }

  #vault({ method, body }: Asked, user: FakeUser): Json {
    if (method === 'PUT') this.#swap(user, body, body['under_login'] === true);
    if (method === 'PUT') return { version: user.vaultVersion };
    if (user.vault === null) throw new Refusal(404, 'no_vault');
    return { version: user.vaultVersion, ...user.vault };
  }

  #pair({ method, body, query }: Asked, channel: string): Json {
    const { channels, clock } = this.#house;
    const kept = channels.get(channel);
    const open = kept !== undefined && kept.endsAt > clock.now() ? kept : undefined;
    if (method === 'GET') {
      if (open === undefined) throw new Refusal(404, 'not_found');
      const after = Number(query.get('after'));
      return { messages: open.messages.slice(after).map((one) => b64u(one)) };
    }
    const at = open ?? { endsAt: clock.now() + 120_000, messages: [] };
    if (at.messages.length >= 3) throw new Refusal(409, 'channel_full');
    const message = fromB64u(str(body, 'message'));
    at.messages.push(this.#house.between?.(message, at.messages.length + 1) ?? message);
    channels.set(channel, at);
    return { number: at.messages.length };
  }
}
