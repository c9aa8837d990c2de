// Running the house: accounts, invites, reports, settings, addresses, what it takes, how it is.
import { AccountsApi, type Account } from '../api/accounts';
import { HouseApi, type Settings } from '../api/house';
import { ReportsApi } from '../api/reports';
import { parseId, type Id } from '../protocol/ids';
import type * as a from './administration_model';
import { HousePrograms } from './bots';
import { parseCounts } from './counts';
import type { Home } from './home';
import { HouseInvites } from './house_invites';
import { logEntry, namedIn } from './log_entry';
import { managesAccount, rolesToGive, type GivenRole } from './may';
import type { InviteLink } from './model';
import { ReportQueue } from './report_queue';

export type Run = <T>(run: () => Promise<T>) => Promise<T>;

const DAY_MS = 24 * 3_600_000;
/** Accounts that are listed at most; a house has some 25. */
const ACCOUNTS_MAX = 1_000;

export class HouseAdministration implements a.Administration {
  readonly #home: Home;
  readonly #act: Run;
  readonly #renamed: (house: string) => void;
  readonly #accounts: AccountsApi;
  readonly #house: HouseApi;
  readonly #invites: HouseInvites;
  readonly #queue: ReportQueue;
  readonly programs: HousePrograms;

  /** `act` runs an action; what goes wrong in it is a Problem. `renamed`: the house is. */
  constructor(home: Home, act: Run, renamed: (house: string) => void) {
    const { http } = home.parts.api;
    this.#home = home;
    this.#act = act;
    this.#renamed = renamed;
    this.#accounts = new AccountsApi(http);
    this.#house = new HouseApi(http);
    this.#invites = new HouseInvites(home);
    this.programs = new HousePrograms(home, act, () => this.accounts());
    this.#queue = new ReportQueue(home, new ReportsApi(http));
  }

  // Accounts

  accounts(): Promise<readonly a.AccountView[]> {
    return this.#act(async () => {
      const all: Account[] = [];
      let after: Id | null = null;
      do {
        const page: Awaited<ReturnType<AccountsApi['page']>> = await this.#accounts.page(after);
        all.push(...page.users);
        after = page.next;
      } while (after !== null && all.length < ACCOUNTS_MAX);
      this.#home.people.learn(all);
      return all.map((one) => this.#account(one));
    });
  }

  #account({ id, createdAt, lastSeen, guestUntil, blocked }: Account): a.AccountView {
    const { people, me } = this.#home;
    const person = people.person(id);
    const mine = people.person(me).role;
    const other = id !== me;
    const manage = other && managesAccount(mine, person.role);
    return {
      person,
      me: !other,
      createdAt,
      lastSeen,
      guestUntil,
      blocked,
      may: {
        roles: other && !blocked ? rolesToGive(mine, person.role) : [],
        manage,
        reset: manage && person.role !== 'bot' && !blocked,
      },
    };
  }

  #until(days: number | null): number | null {
    return days === null ? null : this.#home.parts.clock.now() + days * DAY_MS;
  }

  #change(person: string, change: Parameters<AccountsApi['change']>[1]): Promise<void> {
    return this.#act(async () => {
      await this.#accounts.change(parseId(person), change);
    });
  }

  setRole(person: string, role: GivenRole, guestDays: number | null): Promise<void> {
    const stay = role === 'guest' ? { guestUntil: this.#until(guestDays) } : {};
    return this.#change(person, { role, ...stay });
  }

  letStay(person: string, days: number | null): Promise<void> {
    return this.#change(person, { guestUntil: this.#until(days) });
  }

  setBlocked(person: string, blocked: boolean): Promise<void> {
    return this.#change(person, { blocked });
  }

  end(person: string): Promise<void> {
    return this.#act(async () => void (await this.#accounts.end(parseId(person))));
  }

  resetLink(person: string): Promise<a.ResetLink> {
    return this.#act(async () => {
      const { path, expires_at } = await this.#accounts.reset(parseId(person));
      return { link: `${this.#home.parts.origin}${path}`, expiresAt: expires_at };
    });
  }

  signOut(person: string, tokens: boolean): Promise<void> {
    return this.#act(async () => void (await this.#accounts.signOut(parseId(person), tokens)));
  }

  // Invites

  invitingRooms(): readonly a.InvitingRoom[] {
    return this.#invites.rooms();
  }

  invites(): Promise<readonly a.HouseInvite[]> {
    return this.#act(() => this.#invites.list());
  }

  invite({ room, uses, guestDays }: a.NewInvite): Promise<InviteLink> {
    return this.#act(() => this.#invites.make(room, uses, guestDays));
  }

  revoke(room: string, code: string): Promise<void> {
    return this.#act(() => this.#invites.revoke(room, code));
  }

  // Reports

  reports(which: 'open' | 'decided', from: string | null): Promise<a.Page<a.ReportView>> {
    return this.#act(() => this.#queue.page(which, from));
  }

  evidence(report: a.ReportView): Promise<a.EvidenceView> {
    return this.#act(() => this.#queue.evidence(report));
  }

  decide(report: a.ReportView, decision: a.NewDecision): Promise<void> {
    return this.#act(() => this.#queue.decide(report, decision));
  }

  // The house

  settings(): Promise<a.HouseSettings> {
    return this.#act(async () => settingsOf(await this.#house.settings()));
  }

  changeSettings(next: a.HouseSettings): Promise<a.HouseSettings> {
    return this.#act(async () => {
      const settings = settingsOf(await this.#house.putSettings(settingsJson(next)));
      this.#renamed(settings.house);
      return settings;
    });
  }

  storage(): Promise<a.StorageView> {
    return this.#act(async () => {
      const { house, house_bytes_max, user_bytes_max, users } = await this.#house.storage();
      return { ...house, houseMax: house_bytes_max, personMax: user_bytes_max, people: users };
    });
  }

  addresses(): Promise<a.AddressRules> {
    return this.#act(() => this.#house.addresses());
  }

  changeAddresses(rules: a.AddressRules, force: boolean): Promise<a.AddressRules> {
    const { allow, deny, ...rest } = rules;
    const next = { ...rest, allow: [...allow], deny: [...deny] };
    return this.#act(() => this.#house.putAddresses(next, force));
  }

  health(): Promise<a.HealthView> {
    return this.#act(async () => {
      const [health, counts] = await Promise.all([this.#house.health(), this.#house.counts()]);
      const { version, clock, mqtt } = health;
      return { version, clockTrusted: clock === 'trusted', mqtt, counts: parseCounts(counts) };
    });
  }

  log(before: string | null): Promise<a.Page<a.LogEntry>> {
    return this.#act(async () => {
      const { entries, full } = await this.#house.log(before === null ? null : parseId(before));
      const { people } = this.#home;
      const named = entries.flatMap(namedIn);
      if (named.some((id) => !people.has(id))) await this.accounts();
      const items = entries.map((entry) => logEntry(this.#home, entry));
      return { items, next: full ? (items.at(-1)?.id ?? null) : null };
    });
  }
}

const settingsOf = (read: Settings): a.HouseSettings => ({
  version: read.version,
  house: read.house,
  registration: read.registration,
  keepDays: read.retention_days,
  keepBytes: read.retention_bytes,
  personMib: read.attachment_user_mib,
  houseMib: read.attachment_house_mib,
  logDays: read.audit_days,
});

const settingsJson = (settings: a.HouseSettings): Settings => ({
  version: settings.version,
  house: settings.house,
  registration: settings.registration,
  retention_days: settings.keepDays,
  retention_bytes: settings.keepBytes,
  attachment_user_mib: settings.personMib,
  attachment_house_mib: settings.houseMib,
  audit_days: settings.logDays,
});
