// The application: which screen, who is here, and every action a screen may take.
import { createApi } from '../api/api';
import { DraftStore } from '../local/drafts';
import { HistoryStore } from '../local/history';
import { KeyStore } from '../local/keys';
import { LoginStore } from '../local/login';
import { LookStore } from '../local/looks';
import { OutboxStore } from '../local/outbox';
import { SearchStore } from '../local/search_store';
import { TrayStore } from '../local/tray_store';
import type { Administration } from './administration_model';
import { AccountArea } from './account_area';
import { NO_ACCOUNT } from './account_model';
import type { AppDeps, Parts } from './deps';
import { Entrance, type Arrival } from './entrance';
import { Files } from './files';
import type { Home } from './home';
import { Keys } from './keys';
import { PaintedRooms } from './looks';
import type * as m from './model';
import { readingApp } from './reading_app';
import type { Reading } from './reading_model';
import { Observable } from './observable';
import { ProblemError, problemOf } from './problem';
import { Desk } from './desk';
import { RoomActions } from './room_actions';
import { TokenSource } from './tokens';

const START: m.AppState = {
  phase: 'loading',
  house: null,
  me: null,
  connection: { kind: 'offline', retryAt: null },
  waiting: 0,
  rooms: [],
  currentRoom: null,
  invitation: null,
  recoverySheet: null,
  account: NO_ACCOUNT,
  working: null,
  problem: null,
};

function partsOf(deps: AppDeps): Parts {
  const login = new LoginStore(deps.shelf, deps.safe);
  const tokens = new TokenSource(login, () => deps.clock.now());
  const api = createApi(deps.fetch, { current: tokens.current, renew: tokens.renew });
  tokens.attach(api.auth);
  return {
    ...deps,
    api,
    tokens,
    login,
    outboxStore: new OutboxStore(deps.shelf, deps.safe),
    history: new HistoryStore(deps.shelf),
    keyStore: new KeyStore(deps.shelf),
    drafts: new DraftStore(deps.shelf, deps.safe),
    looks: new LookStore(deps.shelf),
    trayStore: new TrayStore(deps.shelf, deps.safe),
    searchStore: new SearchStore(deps.shelf, deps.safe),
  };
}

/** The application on these foundations. Nothing happens before `start`. */
export function createApp(deps: AppDeps): m.App {
  return new HearthApp(partsOf(deps));
}

class HearthApp implements m.App {
  readonly #parts: Parts;
  readonly #state = new Observable<m.AppState>(START);
  readonly #entrance: Entrance;
  readonly files: Files;
  readonly account: AccountArea;
  readonly looks: PaintedRooms;
  #home: Home | null = null;
  #administration: Administration | null = null;
  readonly people = new Desk(
    () => this.#here(),
    (run) => this.#act(null, run),
  );
  #drafts = new Map<string, string>();
  readonly keys = new Keys(
    () => this.#here(),
    (run) => this.#act(null, run),
  );

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#entrance = new Entrance(parts);
    this.files = new Files(parts);
    this.looks = new PaintedRooms(parts.looks, this.#tell);
    this.account = new AccountArea(parts, this.#entrance, {
      changed: (change) => this.#state.update({ account: { ...this.state.account, ...change } }),
      shown: (as) => this.#shown(as),
      renewKeys: (password) => this.keys.renew(password),
      arrived: (arrival) => this.#arrived(arrival),
      visited: (arrival) => this.#enter(arrival),
      failed: this.#tell,
      act: (working, run) => this.#act(working, run),
    });
  }

  get state(): m.AppState {
    return this.#state.value;
  }

  subscribe(run: (state: m.AppState) => void): () => void {
    return this.#state.subscribe(run);
  }

  /** Runs an action; what goes wrong is a Problem, told to whoever asked. */
  async #act<T>(working: m.Work | null, run: () => Promise<T>): Promise<T> {
    if (working !== null) {
      this.#state.update({ working });
      // Who is let in waits for it, and hears what went wrong.
      import('./home').catch(() => null);
    }
    try {
      return await run();
    } catch (error) {
      throw problemOf(error);
    } finally {
      if (working !== null) this.#state.update({ working: null });
    }
  }

  /** Told where no action waits for it. */
  #tell = (error: unknown): void => {
    const { code, message, hint } = problemOf(error);
    this.#state.update({ problem: { code, message, hint } });
  };

  /** Runs an action that no form waits for: what goes wrong is told. */
  #run(run: () => Promise<void>): Promise<void> {
    return this.#act(null, run).catch(this.#tell);
  }

  async start(): Promise<void> {
    const { entry } = this.#parts;
    if (this.account.begin()) return this.#state.update({ phase: 'login' });
    const arrival = await this.#entrance.wake().catch((error: unknown) => {
      this.#tell(error);
      return null;
    });
    try {
      if (arrival === null) return await this.#firstScreen(entry);
      await this.#enter(arrival);
      if (entry.kind === 'join') await this.#acceptHere(entry).catch(this.#tell);
    } catch (error) {
      this.#leave();
      this.#tell(error);
    }
  }

  async #firstScreen(entry: m.Entry): Promise<void> {
    if (entry.kind === 'setup' && (await this.#parts.api.auth.needsSetUp())) {
      return this.#state.update({ phase: 'setup' });
    }
    if (entry.kind === 'join') {
      const { shown } = await this.#entrance.lookAt(entry.code, entry.key);
      return this.#state.update({ phase: 'join', house: shown.house, invitation: shown });
    }
    const { house } = await this.#parts.api.auth.health();
    this.#state.update({ phase: 'login', house });
  }

  async #enter(arrival: Arrival): Promise<void> {
    const { user, house, recoverySheet } = arrival;
    const { Home } = await import('./home');
    const home = new Home(this.#parts, arrival, {
      changed: (change) => {
        this.#state.update(change);
        this.people.changed(change);
      },
      personal: (heard, payload) => this.people.heard(heard, payload),
      news: (room, facts) => this.people.news(room, facts),
      failed: this.#tell,
      ended: () => this.#signedOut(),
      uploads: (of) => this.files.uploadsOf(of),
    });
    this.#home = home;
    this.files.enter(home);
    this.account.entered(user);
    const me: m.Person = { ...user };
    this.#drafts = await this.#parts.drafts.all();
    await this.looks.load();
    await home.start();
    this.files.restore();
    this.#state.update({
      phase: 'ready',
      me,
      house,
      recoverySheet,
      invitation: null,
      problem: null,
    });
  }

  /** Signed in, by whatever way; an invite in the address is taken along. */
  async #arrived(arrival: Arrival): Promise<void> {
    const { entry } = this.#parts;
    await this.#enter(arrival);
    if (entry.kind === 'join') await this.#acceptHere(entry);
  }

  /** The others see oneself otherwise. */
  #shown(as: Pick<m.Person, 'name' | 'displayName' | 'avatar' | 'role'>): void {
    const { me } = this.state;
    if (me === null) return;
    this.#home?.people.learn([{ ...me, ...as, id: this.#here().me }]);
    this.#home?.draw();
    this.#state.update({ me: { ...me, ...as } });
  }

  /** The login was ended elsewhere: what was written stays for the next one. */
  #signedOut(): void {
    const guest = this.state.me?.role === 'guest';
    this.#leave();
    this.#tell(
      guest
        ? new ProblemError('visit_over', 'your stay as a guest has ended', 'ask for an invite')
        : new ProblemError('signed_out', 'this login has ended', 'sign in again'),
    );
  }

  #leave(): void {
    this.#home?.stop();
    this.#home = null;
    this.people.leave();
    this.files.leave();
    this.account.left();
    this.looks.leave();
    this.#administration = null;
    this.#parts.tokens.forget();
    const { house } = this.state;
    this.#state.set({ ...START, house, phase: 'login' });
  }

  setUp(input: m.SetUp): Promise<void> {
    return this.#act('identity', async () => {
      const { entry } = this.#parts;
      if (entry.kind !== 'setup') throw new ProblemError('no_setup', 'this is no set-up link', '');
      await this.#enter(await this.#entrance.setUp(entry.secret, input));
    });
  }

  #invite(): Extract<m.Entry, { kind: 'join' }> {
    const { entry } = this.#parts;
    if (entry.kind === 'join') return entry;
    throw new ProblemError('no_invite', 'this is no invite link', 'ask for the whole link');
  }

  join(input: m.Credentials): Promise<void> {
    return this.#act('identity', async () => {
      const { code, key } = this.#invite();
      await this.#enter(await this.#entrance.join(code, key, input));
    });
  }

  loginAndAccept(input: m.Credentials): Promise<void> {
    return this.#act('password', () => this.account.login(input));
  }

  async #acceptHere({ code, key }: { code: string; key: string }): Promise<void> {
    const rooms = await this.#entrance.accept(code, key);
    const home = this.#here();
    await home.rooms.sync();
    for (const room of rooms) await home.keeper.joinByProof(room);
  }

  login(input: m.Credentials): Promise<void> {
    return this.#act('password', () => this.account.login(input));
  }

  async logout(): Promise<void> {
    await this.#parts.api.auth.logout().catch(() => null);
    this.#leave();
    this.#parts.drafts.close();
    await this.#parts.sealing.forget();
    await this.#parts.login.forget();
    this.#drafts = new Map();
  }

  show(phase: 'join' | 'login'): void {
    if (this.#home === null) this.#state.update({ phase });
  }

  recoverySheetKept(): void {
    this.#state.update({ recoverySheet: null });
  }

  dismissProblem(): void {
    this.#state.update({ problem: null });
  }

  takeOver(): void {
    this.#home?.takeOver();
  }

  #here(): Home {
    if (this.#home === null) throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
    return this.#home;
  }

  #actions(): RoomActions {
    return new RoomActions(this.#here());
  }

  administration(): Promise<Administration> {
    return this.#act(null, async () => {
      const { HouseAdministration } = await import('./administration');
      return (this.#administration ??= new HouseAdministration(
        this.#here(),
        (run) => this.#act(null, run),
        (house) => this.#state.update({ house }),
      ));
    });
  }

  openRoom(id: string): Promise<void> {
    return this.#act(null, () => this.#here().open(id));
  }

  closeRoom(): void {
    this.#home?.close();
  }

  loadOlder(): Promise<void> {
    return this.#run(() => this.#here().library.reading.older());
  }

  readonly reading: Reading = readingApp({
    here: () => this.#here(),
    home: () => this.#home,
    act: (run) => this.#act(null, run),
    run: (run) => this.#run(run),
  });

  createRoom(input: m.NewRoom): Promise<string> {
    return this.#act(null, () => this.#actions().create(input));
  }

  send(text: string, parentId?: string, thread?: string): Promise<void> {
    return this.#act(null, () => this.files.send(text, parentId ?? null, thread));
  }

  edit(target: string, text: string): Promise<void> {
    return this.#act(null, () => this.#actions().edit(target, text));
  }

  react(target: string, emoji: string, on: boolean): Promise<void> {
    return this.#run(() => this.#actions().react(target, emoji, on));
  }

  remove(target: string): Promise<void> {
    return this.#act(null, () => this.#actions().remove(target));
  }

  typing(on: boolean): void {
    if (this.#home !== null) this.#actions().typing(on);
  }

  retry(id: string): Promise<void> {
    return this.#run(() => this.#actions().retry(id));
  }

  discard(id: string): Promise<void> {
    return this.#run(() => this.#actions().discard(id));
  }

  draft(roomId: string): string {
    return this.#drafts.get(roomId) ?? '';
  }

  keepDraft(roomId: string, text: string): void {
    this.#drafts.set(roomId, text);
    this.#parts.drafts.keep(roomId, text).catch(this.#tell);
  }

  makeInvite(roomId: string, uses = 10, guestDays?: number): Promise<m.InviteLink> {
    return this.#act(null, () => this.#actions().makeInvite(roomId, uses, guestDays));
  }

  addDevice(roomId: string, name: string, plain = false): Promise<m.NewDevice> {
    return this.#act(null, () => this.#actions().addDevice(roomId, name, plain));
  }

  deviceLines(roomId: string, deviceId: string): Promise<m.DeviceLines> {
    return this.#act(null, () => this.#actions().deviceLines(roomId, deviceId));
  }

  sealForDevice(roomId: string, deviceId: string, plain: boolean): Promise<void> {
    return this.#act(null, () => this.#actions().sealForDevice(roomId, deviceId, plain));
  }

  removeDevice(roomId: string, deviceId: string): Promise<void> {
    return this.#act(null, () => this.#actions().removeDevice(roomId, deviceId));
  }
}
