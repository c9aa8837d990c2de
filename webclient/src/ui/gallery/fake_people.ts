// People, alerts and rooms' keeping without a box, for looking at the screens.
import { Observable } from '../../state/observable';
import type {
  Alert,
  Comparison,
  InviteView,
  Notice,
  PeopleDesk,
  PeopleState,
  Profile,
  PublicRooms,
  RoomDesk,
  RoomRules,
  Sentences,
} from '../../state/people_model';
import { anna, jonas, mila, oma, publicRooms, ravi } from './people';

const hour = 3_600_000;
const nothing = (): Promise<void> => Promise.resolve();

function everyone(now: number): Profile[] {
  const base = { statusText: '', lastSeen: now - hour, blocked: false, mayWrite: true } as const;
  return [
    { ...base, person: jonas, presence: 'away', contact: 'accepted', pin: 'verified' },
    {
      ...base,
      person: mila,
      presence: 'online',
      statusText: 'In the garden',
      contact: 'asks',
      pin: 'vouched',
    },
    { ...base, person: oma, presence: 'offline', contact: 'none', pin: 'changed' },
    { ...base, person: ravi, presence: null, lastSeen: null, contact: 'none', pin: 'unverified' },
  ];
}

function notices(now: number): Notice[] {
  const base = { room: 'r-general', roomName: 'General', message: 'm-1', read: false } as const;
  return [
    {
      ...base,
      id: 'n-1',
      kind: 'mention',
      by: mila,
      text: 'Anna, can you bring bread?',
      at: now - hour / 6,
    },
    { ...base, id: 'n-2', kind: 'reply', by: jonas, text: null, at: now - 3 * hour },
    {
      ...base,
      id: 'n-3',
      kind: 'room_invite',
      roomName: 'Garden',
      room: 'r-garden',
      message: null,
      by: oma,
      text: null,
      at: now - 20 * hour,
    },
    {
      ...base,
      id: 'n-4',
      kind: 'direct_message',
      by: oma,
      text: 'Good night!',
      at: now - 30 * hour,
      read: true,
    },
  ];
}

class FakeRoomDesk implements RoomDesk {
  readonly #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  rules(): RoomRules {
    return {
      name: 'General',
      boxName: 'General',
      topic: 'Everything that concerns us all',
      type: 'private',
      sealing: 'sealed',
      general: false,
      myRole: 'owner',
      history: 'all',
      keepDays: 0,
      keepBytes: 0,
      notify: 'all',
    };
  }

  change = nothing;
  seal = nothing;
  look = nothing;
  notify = nothing;
  leave = nothing;
  end = nothing;
  join = nothing;
  revoke = nothing;
  add = nothing;
  giveKey = nothing;
  remove = nothing;
  setRole = nothing;
  handOver = nothing;
  mute = nothing;
  ban = nothing;
  lift = nothing;
  publicRooms = (): Promise<PublicRooms> => Promise.resolve({ rooms: publicRooms, next: null });

  invites(): Promise<InviteView[]> {
    const expiresAt = this.#now + 72 * hour;
    return Promise.resolve([
      { code: '7KQ4MZ2XPW', by: anna, expiresAt, usesLeft: 3, guestUntil: null },
    ]);
  }

  makeInvite(_: string, uses: number): Promise<{ link: string; expiresAt: number; uses: number }> {
    const link = 'https://hearth.local/i/7KQ4MZ2XPW#k7Q2mXw9ZpL4tR8vN3sYb6HcJ1dF5gA0eUiOqWxTzVM';
    return Promise.resolve({ link, expiresAt: this.#now + 72 * hour, uses });
  }

  sentences(): Promise<Sentences> {
    const [by, at] = [anna, this.#now - hour];
    const muted = { person: ravi, by, at, reason: 'Too loud', until: this.#now + hour };
    return Promise.resolve({ mutes: [muted], bans: [] });
  }
}

export class FakePeople implements PeopleDesk {
  readonly #state: Observable<PeopleState>;
  readonly rooms: FakeRoomDesk;

  constructor(now: number) {
    this.#state = new Observable<PeopleState>({
      everyone: everyone(now),
      notices: notices(now),
      unread: 3,
      olderNotices: true,
    });
    this.rooms = new FakeRoomDesk(now);
  }

  get state(): PeopleState {
    return this.#state.value;
  }

  subscribe(run: (state: PeopleState) => void): () => void {
    return this.#state.subscribe(run);
  }

  profile(person: string): Profile {
    const found = this.state.everyone.find((one) => one.person.id === person);
    if (found !== undefined) return found;
    const me = { person: anna, statusText: '', presence: 'online', lastSeen: null } as const;
    return { ...me, contact: 'none', blocked: false, mayWrite: true, pin: 'self' };
  }

  #change(person: string, change: Partial<Profile>): Promise<void> {
    const { everyone: before } = this.state;
    const after = before.map((one) => (one.person.id === person ? { ...one, ...change } : one));
    this.#state.update({ everyone: after });
    return nothing();
  }

  refresh = nothing;
  olderNotices = nothing;
  picture: (avatar: string) => Promise<Blob | null> = () => Promise.resolve(null);
  direct = (): Promise<string> => Promise.resolve('r-general');
  befriend = (person: string): Promise<void> => this.#change(person, { contact: 'accepted' });
  part = (person: string): Promise<void> => this.#change(person, { contact: 'none' });
  block = (person: string): Promise<void> => this.#change(person, { blocked: true });
  unblock = (person: string): Promise<void> => this.#change(person, { blocked: false });
  checked = (person: string): Promise<void> => this.#change(person, { pin: 'verified' });
  compare = (): Promise<Comparison> =>
    Promise.resolve({ digits: '0482915736'.repeat(6), state: 'vouched' });

  readNotice(id: string): Promise<void> {
    const after = this.state.notices.map((one) => (one.id === id ? { ...one, read: true } : one));
    this.#state.update({ notices: after, unread: after.filter(({ read }) => !read).length });
    return nothing();
  }

  readAllNotices(): Promise<void> {
    const after = this.state.notices.map((one) => ({ ...one, read: true }));
    this.#state.update({ notices: after, unread: 0 });
    return nothing();
  }

  onAlert =
    (_: (alert: Alert) => void): (() => void) =>
    () =>
      undefined;
}
