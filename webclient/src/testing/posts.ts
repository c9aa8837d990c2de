// The REST of the box in memory: only what the client asks, with the errors it must understand.
import { b64u, fromB64u } from '../protocol/bytes';
import { AccountPosts } from './account_posts';
import { isId, parseId, type Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import {
  Refusal,
  sameHash,
  type FakeHouse,
  type FakeInvite,
  type FakeRoom,
  type FakeUser,
  type Stored,
} from './house';
import { pageAt } from './pages';
import { Neighbours } from './neighbours';

export type Json = Record<string, unknown>;

export interface Asked {
  readonly method: string;
  readonly path: string[];
  readonly query: URLSearchParams;
  readonly body: Json;
  readonly user: Id | null;
  readonly token: string;
  readonly auth: string | null;
}

const str = (body: Json, name: string): string => s.text(body[name], name);
const num = (body: Json, name: string): number => s.count(body[name], name);
const rows = (body: Json, name: string): Json[] => s.list(s.record)(body[name] ?? [], name);

export class Posts {
  readonly #house: FakeHouse;
  readonly neighbours: Neighbours;
  readonly #accounts: AccountPosts;

  constructor(house: FakeHouse) {
    this.#house = house;
    this.neighbours = new Neighbours(house, (user) => this.userView(user));
    this.#accounts = new AccountPosts(house);
  }

  async answer(target: string, init: RequestInit): Promise<Response> {
    const url = new URL(target, 'http://box');
    const headers = new Headers(init.headers);
    const token = headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const asked: Asked = {
      method: init.method ?? 'GET',
      path: url.pathname.split('/').slice(1),
      query: url.searchParams,
      body: typeof init.body === 'string' ? s.parseJson(s.record, init.body) : {},
      user: this.#house.sessions.get(token) ?? null,
      token,
      auth: headers.get('invite-auth'),
    };
    try {
      const value = this.#route(asked);
      return value === null ? new Response(null, { status: 204 }) : Response.json(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, code } = error;
      return Response.json({ code, message: code, hint: '' }, { status });
    }
  }

  #route(asked: Asked): unknown {
    const { method, path, body } = asked;
    const [root, family, first] = path;
    if (root === 'health')
      return { status: 'ok', house: this.#house.house, mqtt: '127.0.0.1:1883' };
    switch (`${method} ${family}`) {
      case 'GET setup':
        return { needed: this.#house.users.size === 0 };
      case 'POST setup':
        return this.#setUp(body);
      case 'GET invites':
        return this.#look(first ?? '', asked.auth);
    }
    const answered = this.#accounts.answer(asked);
    if (answered !== undefined) return answered;
    if (family === 'auth') return this.#auth(asked);
    const user = this.#user(asked);
    if (family === 'invites') return this.#accept(first ?? '', body, user);
    const about = this.neighbours.answer(method, path, user);
    if (about !== undefined) return about;
    if (family === 'rooms') return this.#rooms(asked, user);
    if (family === 'users')
      return { cards: this.#house.users.get(parseId(first ?? ''))?.cards ?? [] };
    if (family === 'settings') return { house: this.#house.house };
    if (family === 'messages') return this.#erase(parseId(first ?? ''), user);
    if (family === 'devices') {
      const id = parseId(first ?? '');
      return method === 'PATCH' ? this.#changeDevice(id, body) : this.#removeDevice(id);
    }
    throw new Refusal(404, 'not_found');
  }

  #erase(id: Id, user: FakeUser): null {
    const room = [...this.#house.rooms.values()].find(({ events }) =>
      events.some((stored) => stored.id === id),
    );
    if (room === undefined || !room.members.has(user.id)) throw new Refusal(404, 'not_found');
    this.#house.erase(room, id, user.id);
    return null;
  }

  #user({ user }: Asked): FakeUser {
    const found = user === null ? undefined : this.#house.users.get(user);
    if (found === undefined) throw new Refusal(401, 'sign_in');
    return found;
  }

  userView(user: FakeUser): Json {
    return this.#accounts.userView(user);
  }

  #newUser(body: Json): FakeUser {
    if (this.#house.userByName(str(body, 'name')) !== undefined)
      throw new Refusal(409, 'name_taken');
    const { vault, recovery, salt, cost } = body;
    const user: FakeUser = {
      id: parseId(str(body, 'user_id')),
      name: str(body, 'name'),
      login: { salt, cost, key: body['auth_key'] },
      profile: {},
      cards: [str(body, 'card')],
      vault: { vault, recovery, salt, cost, under_login: true },
      vaultVersion: 1,
    };
    this.#house.users.set(user.id, user);
    return user;
  }

  newRoom(body: Json, by: Id, general: boolean): FakeRoom {
    const sealing = body['sealing'] === 'open' ? 'open' : 'sealed';
    const room: FakeRoom = {
      id: parseId(str(body, 'id')),
      name: typeof body['name'] === 'string' ? body['name'] : 'direct',
      type: typeof body['type'] === 'string' ? body['type'] : 'public',
      sealing,
      general,
      members: new Map([[by, 'owner'], ...otherOf(body)]),
      bundles: [],
      devices: [],
      events: [],
      proofs: [],
      rotationDue: false,
      receipts: new Map(),
    };
    this.#house.rooms.set(room.id, room);
    this.#house.line(room, { type: 'joined', user: by });
    if (sealing === 'sealed') this.#house.addBundle(room, fromB64u(str(body, 'bundle')), by);
    return room;
  }

  #setUp(body: Json): Json {
    if (this.#house.users.size > 0) throw new Refusal(409, 'already_set_up');
    this.#house.house = str(body, 'house');
    const user = this.#newUser(body);
    this.newRoom(s.record(body['general'], 'general'), user.id, true);
    return this.#accounts.session(user);
  }

  #auth({ method, path, body, query }: Asked): unknown {
    const house = this.#house;
    switch (`${method} ${path[2]}`) {
      case 'GET params': {
        const user = house.userByName(query.get('username') ?? '');
        const { salt, cost } = user?.login ?? {
          salt: b64u(new Uint8Array(16)),
          cost: { memory_kib: 19_456, passes: 2, lanes: 1 },
        };
        return { salt, cost };
      }
      case 'POST login': {
        const user = house.userByName(str(body, 'username'));
        if (user?.login['key'] !== body['auth_key'] || user === undefined) {
          throw new Refusal(401, 'wrong_login');
        }
        return this.#accounts.session(user);
      }
      case 'POST register':
        return this.#register(body);
      default:
        throw new Refusal(404, 'not_found');
    }
  }

  #invite(code: string, auth: string | null): FakeInvite {
    const invite = this.#house.invites.get(code);
    if (invite === undefined || auth === null || !sameHash(auth, invite.authHash)) {
      throw new Refusal(404, 'not_found');
    }
    if (invite.uses === 0) throw new Refusal(410, 'invite_used_up');
    return invite;
  }

  #look(code: string, auth: string | null): Json {
    const invite = this.#invite(code, auth);
    const rooms = invite.rooms.map((id) => {
      const room = this.#house.rooms.get(id);
      return { id, name: room?.name, sealing: room?.sealing };
    });
    const inviter = this.#house.users.get(invite.by)?.name;
    const { blob, expiresAt: expires_at } = invite;
    const sealed = blob === '' ? {} : { blob };
    return { house: this.#house.house, rooms, inviter, expires_at, ...sealed };
  }

  #register(body: Json): Json {
    const invite = this.#invite(str(body, 'code'), str(body, 'auth'));
    const user = this.#newUser(body);
    this.#enter(invite, body, user);
    return this.#accounts.session(user);
  }

  #accept(code: string, body: Json, user: FakeUser): Json {
    const invite = this.#invite(code, str(body, 'auth'));
    this.#enter(invite, body, user);
    return { rooms: invite.rooms };
  }

  /** Those of the invite's rooms that they are not in yet. */
  #enter(invite: FakeInvite, body: Json, user: FakeUser): void {
    invite.uses -= 1;
    const rooms = invite.rooms
      .map((id) => this.#house.rooms.get(id))
      .filter((room) => room !== undefined && !room.members.has(user.id));
    for (const join of rows(body, 'joins')) {
      const room = rooms.find((one) => one?.id === str(join, 'room'));
      room?.proofs.push({ user: user.id, code: invite.code, proof: str(join, 'proof') });
    }
    for (const room of rooms) {
      if (room === undefined) continue;
      room.members.set(user.id, 'member');
      this.#house.line(room, { type: 'joined', user: user.id });
    }
  }

  roomView(room: FakeRoom, user: Id): Json {
    const { id, name, type, sealing, general } = room;
    const other = type === 'direct' ? [...room.members.keys()].find((one) => one !== user) : null;
    return {
      direct_with: other ?? null,
      id,
      name,
      type,
      sealing,
      general,
      last_message_at: room.events.at(-1)?.receivedAt ?? 0,
      head_position: room.events.at(-1)?.position ?? 0,
      first_position: 1,
      my_role: room.members.get(user) ?? null,
      epoch: room.bundles.length,
      rotation_due: room.rotationDue,
    };
  }

  #rooms(asked: Asked, user: FakeUser): unknown {
    const { method, path, body } = asked;
    const [, , id, leaf, more] = path;
    if (id === undefined) {
      if (method === 'POST') return this.roomView(this.newRoom(body, user.id, false), user.id);
      const mine = [...this.#house.rooms.values()].filter(({ members }) => members.has(user.id));
      return { rooms: mine.map((room) => this.roomView(room, user.id)) };
    }
    const room = isId(id) ? this.#house.rooms.get(id) : undefined;
    if (room === undefined || !room.members.has(user.id)) throw new Refusal(404, 'not_found');
    switch (`${method} ${leaf}`) {
      case 'GET undefined':
        return this.roomView(room, user.id);
      case 'GET members':
        return this.#members(room);
      case 'POST members':
        return this.#addMember(room, body, user.id);
      case 'DELETE members':
        return this.#removeMember(room, parseId(more ?? ''), user.id);
      case 'GET bundles':
        return this.#bundles(room, Number(asked.query.get('after') ?? 0));
      case 'POST bundles':
        this.#house.addBundle(room, fromB64u(str(body, 'bundle')), user.id);
        return { epoch: room.bundles.length };
      case 'GET messages':
        return this.#page(room, asked.query);
      case 'GET devices':
        return { devices: room.devices.map((device) => ({ ...device, created_at: 1 })) };
      case 'POST devices':
        return this.#addDevice(room, body, user.id);
      case 'GET invites':
        return { invites: [] };
      case 'POST invites':
        return this.#makeInvite(room, body, user.id);
      default:
        throw new Refusal(404, 'not_found');
    }
  }

  #members(room: FakeRoom): Json {
    const members = [...room.members].map(([id, role]) => {
      const user = this.#house.users.get(id);
      return { user: user === undefined ? null : this.userView(user), role, joined_at: 1 };
    });
    return { members, waiting: room.proofs };
  }

  #addMember(room: FakeRoom, body: Json, by: Id): Json {
    const id = parseId(str(body, 'user_id'));
    room.members.set(id, 'member');
    this.#house.line(room, { type: 'joined', user: id, by });
    if (typeof body['bundle'] === 'string') {
      this.#house.addBundle(room, fromB64u(body['bundle']), by);
    }
    return {};
  }

  #removeMember(room: FakeRoom, id: Id, by: Id): null {
    room.members.delete(id);
    room.rotationDue = room.sealing === 'sealed';
    this.#house.line(room, { type: 'left', user: id, by });
    return null;
  }

  #bundles(room: FakeRoom, after: number): Json {
    const all = room.bundles.map((bundle, at) => ({ epoch: at + 1, bundle: b64u(bundle) }));
    return { bundles: all.filter(({ epoch }) => epoch > after) };
  }

  #page(room: FakeRoom, query: URLSearchParams): Json {
    const limit = Number(query.get('limit'));
    const before = Number(query.get('before') ?? Number.POSITIVE_INFINITY);
    const after = Number(query.get('after') ?? 0);
    const within = room.events.filter(({ position }) => position < before && position > after);
    const page = query.has('after') ? within.slice(0, limit) : within.slice(-limit);
    return this.#pageOf(room, pageAt(room, query, limit) ?? page);
  }

  #pageOf(room: FakeRoom, page: readonly Stored[]): Json {
    const messages = page.map((stored) => this.#house.item(room, stored));
    const [first, last] = [page[0], page.at(-1)];
    const covered =
      first === undefined ? null : { from: first.position, to: last?.position ?? first.position };
    return {
      messages,
      covered,
      first_position: 1,
      head_position: room.events.at(-1)?.position ?? 0,
    };
  }

  #addDevice(room: FakeRoom, body: Json, by: Id): Json {
    const plain = body['plain'] === 'seal' ? 'seal' : 'refuse';
    const device = { id: parseId(str(body, 'id')), name: str(body, 'name'), plain };
    room.devices.push(device);
    if (room.sealing === 'sealed') this.#house.addBundle(room, fromB64u(str(body, 'bundle')), by);
    return { device: { ...device, created_at: 1 }, token: 'hearth_dev_x' };
  }

  #changeDevice(id: Id, body: Json): Json {
    const all = [...this.#house.rooms.values()].flatMap(({ devices }) => devices);
    const device = all.find((one) => one.id === id);
    if (device === undefined) throw new Refusal(404, 'not_found');
    device.plain = str(body, 'plain');
    return { ...device, created_at: 1 };
  }

  #removeDevice(id: Id): null {
    for (const { devices } of this.#house.rooms.values()) {
      const at = devices.findIndex((device) => device.id === id);
      if (at >= 0) devices.splice(at, 1);
    }
    return null;
  }

  #makeInvite(room: FakeRoom, body: Json, by: Id): Json {
    const general = [...this.#house.rooms.values()].filter((one) => one.general && one !== room);
    for (const one of rows(body, 'bundles')) {
      const target = this.#house.rooms.get(parseId(str(one, 'room')));
      if (target !== undefined) this.#house.addBundle(target, fromB64u(str(one, 'bundle')), by);
    }
    this.#house.invites.set(str(body, 'code'), {
      code: str(body, 'code'),
      rooms: [room, ...general].map(({ id }) => id),
      by,
      authHash: fromB64u(str(body, 'auth_hash')),
      blob: str(body, 'blob'),
      expiresAt: num(body, 'expires_at'),
      uses: num(body, 'uses'),
    });
    return { code: body['code'] };
  }
}

/** The other person of a new direct room. */
const otherOf = (body: Json): [Id, string][] =>
  typeof body['user_id'] === 'string' ? [[parseId(body['user_id']), 'owner']] : [];
