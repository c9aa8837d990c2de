// A room's keeping: its settings, who may come in, who is in it and as what, who is kept quiet.
import type { Sentence, SentenceKind } from '../api/order';
import type { Room, RoomChange } from '../api/rooms';
import { parseId, type Id } from '../protocol/ids';
import type { Rules } from '../sealing/epoch';
import type { Home } from './home';
import type { InviteLink, RoomRole } from './model';
import type {
  InviteView,
  NewSentence,
  Notify,
  PublicRoom,
  PublicRooms,
  RoomDesk,
  RoomRules,
  RoomRulesChange,
  Sentences,
  SentenceView,
} from './people_model';
import { ProblemError } from './problem';
import type { RoomHandle } from './room';
import { RoomActions } from './room_actions';

type Run = <T>(run: () => Promise<T>) => Promise<T>;

export class RoomOffice implements RoomDesk {
  readonly #here: () => Home;
  readonly #act: Run;

  constructor(here: () => Home, act: Run) {
    this.#here = here;
    this.#act = act;
  }

  /** Runs `change` on a room, then looks at it anew. */
  #on(room: string, change: (home: Home, handle: RoomHandle) => Promise<unknown>): Promise<void> {
    return this.#act(async () => {
      const home = this.#here();
      const handle = home.rooms.need(room);
      await change(home, handle);
      await home.rooms.sync();
      if (home.rooms.get(handle.room.id) !== null) await home.rooms.company(handle);
    });
  }

  rules(room: string): RoomRules {
    const { keeper, rooms } = this.#here();
    const { room: one } = rooms.need(room);
    const { name, sealing, general, keepDays, keepBytes, notify } = one;
    // Of a sealed room its members' word, as far as it is here.
    const { type, history } = (sealing === 'sealed' ? keeper.view(one.id)?.rules : null) ?? one;
    return {
      name,
      boxName: name,
      topic: one.description,
      type,
      sealing,
      general,
      myRole: one.myRole ?? 'member',
      history,
      keepDays,
      keepBytes,
      notify,
    };
  }

  change(room: string, { topic, ...rest }: RoomRulesChange): Promise<void> {
    const change: RoomChange = { ...rest, ...(topic === undefined ? {} : { description: topic }) };
    return this.#on(room, async (home, handle) => {
      const { id, sealing } = handle.room;
      const newRules = rest.type !== undefined || rest.history !== undefined;
      if (sealing === 'open' || !newRules) return home.parts.api.rooms.change(id, change);
      return home.keeper.withRequests([id], 'rules', async ([request]) => {
        if (request === undefined) throw new Error('one request per room');
        // What its members signed, never what the box says of the room.
        const signed = home.keeper.view(id)?.rules;
        if (signed == null) throw noKey();
        const rules = { ...signed, ...pick(rest) };
        const { bundle } = await home.parts.sealing.nextEpoch({ ...request, rules });
        return home.parts.api.rooms.change(id, { ...change, bundle });
      });
    });
  }

  seal(room: string): Promise<void> {
    return this.#on(room, async (home, handle) => {
      const { api, sealing, clock } = home.parts;
      const { id } = handle.room;
      const { members } = await api.rooms.members(id);
      const others: Id[] = [];
      for (const { user } of members.filter((one) => one.user.id !== home.me)) {
        await home.keeper.meet(user.id);
        // Who has no keys yet waits for one.
        if ((await api.users.cards(user.id)).length > 0) others.push(user.id);
      }
      const { type, history } = handle.room;
      const rules: Rules = { type, history, hints: false };
      const devices = (await api.devices.list(id)).map((device) => device.id);
      const bundle = await sealing.foundRoom(id, rules, clock.now(), others, devices);
      await api.rooms.change(id, { sealing: 'sealed', bundle });
      home.keepPins();
    });
  }

  look(room: string): Promise<void> {
    return this.#act(async () => {
      const { rooms } = this.#here();
      await rooms.company(rooms.need(room));
    });
  }

  notify(room: string, notify: Notify): Promise<void> {
    return this.#on(room, (home, handle) => home.parts.api.rooms.notify(handle.room.id, notify));
  }

  leave(room: string): Promise<void> {
    return this.#on(room, (home, handle) => home.parts.api.rooms.leave(handle.room.id));
  }

  end(room: string): Promise<void> {
    return this.#on(room, (home, handle) => home.parts.api.rooms.remove(handle.room.id));
  }

  publicRooms(after: string | null): Promise<PublicRooms> {
    return this.#act(async () => {
      const { api } = this.#here().parts;
      const { rooms, next } = await api.rooms.publicPage(after === null ? null : parseId(after));
      return { rooms: rooms.map((one) => publicView(one)), next };
    });
  }

  join(room: string): Promise<void> {
    return this.#act(async () => {
      const home = this.#here();
      await home.parts.api.rooms.join(parseId(room));
      await home.rooms.sync();
    });
  }

  // Invites

  invites(room: string): Promise<readonly InviteView[]> {
    return this.#act(async () => {
      const { parts, people, rooms } = this.#here();
      const now = parts.clock.now();
      const all = await parts.api.invites.list(rooms.need(room).room.id);
      const standing = all.filter((one) => !one.revoked && one.usesLeft > 0 && one.expiresAt > now);
      return standing.map(({ code, by, expiresAt, usesLeft, guestUntil }) => {
        return { code, by: people.person(by), expiresAt, usesLeft, guestUntil };
      });
    });
  }

  revoke(room: string, code: string): Promise<void> {
    return this.#on(room, async (home, handle) => {
      const { api } = home.parts;
      const { id, sealing } = handle.room;
      const found = (await api.invites.list(id)).find((one) => one.code === code);
      if (found === undefined) throw new ProblemError('not_found', 'this invite is gone', '');
      await api.invites.revoke(found.code);
      if (sealing === 'open') return;
      await home.keeper.rotate(
        id,
        'invite',
        (view) => view.invites.includes(found.code),
        (request) => ({ ...request, endInvites: [...(request.endInvites ?? []), found.code] }),
      );
    });
  }

  makeInvite(room: string, uses: number): Promise<InviteLink> {
    return this.#act(() => new RoomActions(this.#here()).makeInvite(room, uses));
  }

  // People

  add(room: string, person: string): Promise<void> {
    const user = parseId(person);
    return this.#on(room, async (home, handle) => {
      const { api, sealing } = home.parts;
      const { id } = handle.room;
      if (handle.room.sealing === 'open') return api.rooms.addMember(id, user, null);
      return this.#letIn(home, id, user, async (request) => {
        const { bundle } = await sealing.nextEpoch(request);
        await api.rooms.addMember(id, user, bundle);
      });
    });
  }

  giveKey(room: string, person: string): Promise<void> {
    const user = parseId(person);
    return this.#on(room, (home, handle) => {
      const { api, sealing } = home.parts;
      return this.#letIn(home, handle.room.id, user, async (request) => {
        const { bundle, members } = await sealing.nextEpoch(request);
        if (!members.includes(user)) {
          const message = 'this person has no keys yet';
          throw new ProblemError('no_card', message, 'they get some when they first sign in here');
        }
        await api.rooms.putBundle(handle.room.id, bundle);
      });
    });
  }

  /** An epoch that lists somebody by this person's word, with the card that the box serves. */
  async #letIn(
    home: Home,
    room: Id,
    user: Id,
    make: (request: Awaited<ReturnType<Home['keeper']['request']>>) => Promise<void>,
  ): Promise<void> {
    await home.keeper.meet(user);
    await home.keeper.withRequests([room], 'added', async ([request]) => {
      if (request === undefined) throw new Error('one request per room');
      const members = [...new Set([...request.members, user])];
      await make({ ...request, members, letIn: [user] });
    });
    home.keepPins();
  }

  remove(room: string, person: string, reason: string): Promise<void> {
    return this.#out(room, person, (home, id, user) =>
      home.parts.api.rooms.removeMember(id, user, reason),
    );
  }

  ban(room: string, person: string, sentence: NewSentence): Promise<void> {
    return this.#out(room, person, (home, id, user) =>
      home.parts.api.order.pass(id, 'bans', user, sentence),
    );
  }

  /** Somebody goes out; in a sealed room a new key follows that they do not get, whatever the box says. */
  #out(
    room: string,
    person: string,
    put: (home: Home, room: Id, user: Id) => Promise<unknown>,
  ): Promise<void> {
    const user = parseId(person);
    return this.#on(room, async (home, handle) => {
      const { id, sealing } = handle.room;
      await put(home, id, user);
      if (sealing === 'open') return;
      const others = (members: readonly Id[]): Id[] => members.filter((one) => one !== user);
      await home.keeper.rotate(
        id,
        'removed',
        (view) => view.members.includes(user),
        (request) => ({ ...request, members: others(request.members) }),
      );
    });
  }

  setRole(room: string, person: string, role: RoomRole): Promise<void> {
    return this.#on(room, (home, handle) =>
      home.parts.api.rooms.setRole(handle.room.id, parseId(person), role, false),
    );
  }

  handOver(room: string, person: string): Promise<void> {
    return this.#on(room, (home, handle) =>
      home.parts.api.rooms.setRole(handle.room.id, parseId(person), 'owner', true),
    );
  }

  sentences(room: string): Promise<Sentences> {
    return this.#act(async () => {
      const home = this.#here();
      const { id } = home.rooms.need(room).room;
      const { order } = home.parts.api;
      const [mutes, bans] = await Promise.all([order.list(id, 'mutes'), order.list(id, 'bans')]);
      home.people.learn([...mutes, ...bans].map(({ user }) => user));
      const view = (one: Sentence): SentenceView => sentenceView(home, one);
      return { mutes: mutes.map(view), bans: bans.map(view) };
    });
  }

  mute(room: string, person: string, sentence: NewSentence): Promise<void> {
    return this.#on(room, (home, handle) =>
      home.parts.api.order.pass(handle.room.id, 'mutes', parseId(person), sentence),
    );
  }

  lift(room: string, person: string, kind: SentenceKind): Promise<void> {
    return this.#on(room, (home, handle) =>
      home.parts.api.order.lift(handle.room.id, kind, parseId(person)),
    );
  }
}

const sentenceView = ({ people }: Home, { user, by, ...rest }: Sentence): SentenceView => ({
  ...rest,
  person: people.person(user.id),
  by: people.person(by),
});

const publicView = ({ id, name, description, sealing, memberCount, myRole }: Room): PublicRoom => ({
  id,
  name,
  topic: description,
  sealing,
  people: memberCount,
  mine: myRole !== null,
});

const noKey = (): ProblemError =>
  new ProblemError('waiting_for_key', 'this room’s key is not here yet', 'wait for a member of it');

const pick = ({ type, history }: RoomRulesChange): Partial<Rules> => ({
  ...(type === undefined ? {} : { type }),
  ...(history === undefined ? {} : { history }),
});
