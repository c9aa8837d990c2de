// An application without a box: it answers as the real one would, for looking at the screens.
import { atTheNewest, fakeReading } from './fake_reading';
import type {
  App,
  AppState,
  Credentials,
  InviteLink,
  MessageItem,
  DeviceLines,
  NewDevice,
  NewRoom,
  Quote,
  RoomView,
  SetUp,
  TimelineItem,
} from '../../state/model';
import { FakeAdministration } from './fake_administration';
import { FakePeople } from './fake_people';
import type { FilesApp } from '../../state/files_model';
import { FakeFiles } from './files';
import { fakeLooks } from './fake_looks';
import { accountAt, fakeAccount, fakeSheet } from './fake_account';
import { anna, members, mila, roomsAt } from './people';
import { readersAt } from './readers';
import { evening, history, message } from './timeline';

const day = 24 * 60 * 60_000;

function nothing(): Promise<void> {
  return Promise.resolve();
}

/** The state of a house in the evening, at `now`. */
export function homeState(now: number): AppState {
  return {
    phase: 'ready',
    house: 'The Lindens',
    me: anna,
    connection: { kind: 'online' },
    waiting: 0,
    rooms: roomsAt(now),
    currentRoom: null,
    invitation: null,
    recoverySheet: null,
    account: accountAt(now),
    working: null,
    problem: null,
  };
}

/** A fake of `App`; `change` lets a scene set whatever it wants to show. */
export class FakeApp implements App {
  state: AppState;
  readonly people: FakePeople;
  files: FilesApp = new FakeFiles();
  readonly account = fakeAccount;
  readonly looks = fakeLooks();
  administration = (): Promise<FakeAdministration> =>
    Promise.resolve(new FakeAdministration(this.#now));
  readonly reading = fakeReading;
  readonly #now: number;
  readonly #listeners = new Set<(state: AppState) => void>();
  readonly #timelines = new Map<string, readonly TimelineItem[]>();
  readonly #drafts = new Map([['r-garden', 'I could mend the']]);
  #made = 0;

  constructor(now: number, state: Partial<AppState> = {}) {
    this.#now = now;
    this.people = new FakePeople(now);
    this.state = { ...homeState(now), ...state };
    this.#timelines.set('r-general', evening(now));
  }

  subscribe(run: (state: AppState) => void): () => void {
    this.#listeners.add(run);
    run(this.state);
    return () => this.#listeners.delete(run);
  }

  change(part: Partial<AppState>): void {
    this.state = { ...this.state, ...part };
    for (const run of this.#listeners) run(this.state);
  }

  changeRoom(part: Partial<RoomView>): void {
    const { currentRoom } = this.state;
    if (currentRoom !== null) this.change({ currentRoom: { ...currentRoom, ...part } });
  }

  start = nothing;
  readonly keys = { accept: nothing, renew: nothing, setHints: nothing };
  login = (_: Credentials): Promise<void> => this.#in();
  loginAndAccept = (_: Credentials): Promise<void> => this.#in();
  logout = (): Promise<void> => {
    this.change({ phase: 'login', currentRoom: null });
    return nothing();
  };

  setUp(input: SetUp): Promise<void> {
    this.change({ house: input.house });
    return this.#withSheet(input.name);
  }

  join(input: Credentials): Promise<void> {
    return this.#withSheet(input.name);
  }

  show(phase: 'join' | 'login'): void {
    this.change({ phase });
  }

  recoverySheetKept(): void {
    this.change({ recoverySheet: null });
  }

  takeOver(): void {
    this.change({ connection: { kind: 'online' } });
  }

  draft(room: string): string {
    return this.#drafts.get(room) ?? '';
  }

  keepDraft(room: string, text: string): void {
    this.#drafts.set(room, text);
  }

  dismissProblem(): void {
    this.change({ problem: null });
  }

  openRoom(id: string): Promise<void> {
    const room = this.state.rooms.find((entry) => entry.id === id);
    if (room === undefined) return Promise.reject(new Error('no such room'));
    const read = { ...room, unread: 0 };
    const alone = id === 'r-new';
    this.change({
      rooms: this.state.rooms.map((entry) => (entry.id === id ? read : entry)),
      currentRoom: {
        room: read,
        timeline: this.#timelines.get(id) ?? [],
        complete: alone,
        loadingOlder: false,
        reading: atTheNewest,
        members: alone ? members.slice(0, 1) : members,
        devices: [
          {
            id: 'd-washer',
            name: 'washer',
            createdAt: 0,
            lastPostAt: this.#now - day / 60,
            plain: false,
            lastRefused: null,
          },
          {
            id: 'd-door',
            name: 'front-door',
            createdAt: 0,
            lastPostAt: null,
            plain: true,
            lastRefused: { message: 'the token is wrong', at: this.#now - day },
          },
        ],
        block: null,
        epoch: room.sealing === 'sealed' ? 3 : 0,
        readers: readersAt(this.#now, room.sealing, alone),
        typing: [],
        readTo: Infinity,
        may: { invite: true, erase: true, manageDevices: true, manageRoom: true },
      },
    });
    return nothing();
  }

  closeRoom(): void {
    this.change({ currentRoom: null });
  }

  createRoom(input: NewRoom): Promise<string> {
    this.#made += 1;
    const id = `r-made-${this.#made}`;
    const [first] = roomsAt(this.#now);
    if (first === undefined) return Promise.reject(new Error('no room to copy'));
    const empty = { lastText: null, lastSender: null, lastMessageAt: null, unread: 0 };
    const room = { ...first, ...empty, ...input, id, general: false };
    this.change({ rooms: [room, ...this.state.rooms] });
    return Promise.resolve(id);
  }

  async loadOlder(): Promise<void> {
    const view = this.state.currentRoom;
    if (view === null || view.complete || view.loadingOlder) return;
    this.changeRoom({ loadingOlder: true });
    await new Promise((done) => setTimeout(done, 150));
    const timeline = [...history(this.#now, 60), ...(this.state.currentRoom?.timeline ?? [])];
    this.changeRoom({ timeline, loadingOlder: false, complete: true });
  }

  send(text: string, parentId?: string): Promise<void> {
    const { currentRoom } = this.state;
    const parent = currentRoom?.timeline.find(({ id }) => id === parentId);
    const quote: Quote | null =
      parent?.kind === 'message'
        ? {
            kind: 'message',
            id: parent.id,
            sender: parent.sender,
            text: parent.text,
            files: null,
            deleted: false,
          }
        : null;
    this.append(message(Date.now(), 0, anna, text, { parentId: parentId ?? null, quote }));
    return nothing();
  }

  #changeMessage(id: string, change: (item: MessageItem) => MessageItem): Promise<void> {
    const timeline = this.state.currentRoom?.timeline ?? [];
    this.changeRoom({
      timeline: timeline.map((item) =>
        item.kind === 'message' && item.id === id ? change(item) : item,
      ),
    });
    return nothing();
  }

  edit(id: string, text: string): Promise<void> {
    return this.#changeMessage(id, (item) => {
      const before = item.versions.length > 0 ? item.versions : [{ text: item.text, at: item.at }];
      return { ...item, text, edited: true, versions: [...before, { text, at: Date.now() }] };
    });
  }

  react(id: string, emoji: string, on: boolean): Promise<void> {
    return this.#changeMessage(id, (item) => {
      const known = item.reactions.find((one) => one.emoji === emoji) ?? { emoji, by: [] };
      const others = known.by.filter((person) => person !== anna);
      const by = on ? [...others, anna] : others;
      const rest = item.reactions.filter((one) => one.emoji !== emoji);
      return { ...item, reactions: by.length === 0 ? rest : [...rest, { emoji, by, mine: on }] };
    });
  }

  remove(id: string): Promise<void> {
    return this.#changeMessage(id, (item) => ({
      ...item,
      text: '',
      deleted: true,
      deletedBy: anna,
      reactions: [],
    }));
  }

  /** Someone else writes. */
  receive(text: string): void {
    this.append(message(Date.now(), 0, mila, text));
  }

  append(item: TimelineItem): void {
    this.changeRoom({ timeline: [...(this.state.currentRoom?.timeline ?? []), item] });
  }

  typing = (): void => undefined;
  retry = nothing;
  discard = nothing;
  sealForDevice = nothing;
  removeDevice = nothing;

  makeInvite(_: string, uses = 1): Promise<InviteLink> {
    const key = 'k7Q2mXw9ZpL4tR8vN3sYb6HcJ1dF5gA0eUiOqWxTzVM';
    const link = `https://hearth.local/i/7KQ4MZ2XPW#${key}`;
    return Promise.resolve({ link, expiresAt: this.#now + 7 * day, uses });
  }

  async addDevice(_: string, name: string): Promise<NewDevice> {
    const token = 'hearth_dev_4uQm2xw9ZpL4tR8vN3sYb6HcJ1dF5gA0';
    return { id: 'd-new', name, token, ...(await this.#lines(token)) };
  }

  deviceLines = (): Promise<DeviceLines> => this.#lines('TOKEN');

  #lines(token: string): Promise<DeviceLines> {
    const line =
      'echo "Washing done" | age -r age1v4t8q0m3x7s2k9n5d6w8y4r0p3l7j2h5f9c6z8a4e3u7g0s2xq -a | ' +
      `mosquitto_pub -h hearth.local -p 1883 -u 01931f -P ${token} -t hearth/rooms/01931e/door/` +
      '01931f -q 1 -s';
    const curl = `curl -sS https://hearth.local/api/door -H "Authorization: Bearer ${token}"`;
    const lines = [
      { kind: 'mqtt', local: true, line },
      { kind: 'https', local: false, line: curl },
    ] as const;
    return Promise.resolve({ lines, ca: true, seals: true });
  }

  #in(): Promise<void> {
    this.change({ phase: 'ready' });
    return nothing();
  }

  #withSheet(name: string): Promise<void> {
    const recoverySheet = fakeSheet(this.state.house ?? 'Hearth', name, this.#now);
    this.change({ phase: 'ready', recoverySheet });
    return nothing();
  }
}
