// Running the house without a box, for looking at the screens.
import type {
  AccountView,
  AddressRules,
  Administration,
  EvidenceView,
  HealthView,
  HouseInvite,
  HouseSettings,
  InvitingRoom,
  LogEntry,
  Page,
  ReportView,
  ResetLink,
  StorageView,
} from '../../state/administration_model';
import { MB } from '../../protocol/attachment';
import { rolesToGive } from '../../state/may';
import type { InviteLink, Person } from '../../state/model';
import { FakePrograms } from './fake_programs';
import { anna, bot, jonas, mila, oma, ravi } from './people';

const hour = 3_600_000;
const day = 24 * hour;
const nothing = (): Promise<void> => Promise.resolve();
const link = 'https://hearth.local/i/7KQ4MZ2XPW#k7Q2mXw9ZpL4tR8vN3sYb6HcJ1dF5gA0eUiOqWxTzVM';

export class FakeAdministration implements Administration {
  readonly #now: number;
  readonly programs: FakePrograms;

  constructor(now: number) {
    this.#now = now;
    this.programs = new FakePrograms(now);
  }

  #account(person: Person, more: Partial<AccountView> = {}): AccountView {
    const me = person === anna;
    return {
      person,
      me,
      createdAt: this.#now - 400 * day,
      lastSeen: this.#now - 2 * hour,
      guestUntil: null,
      blocked: false,
      may: { roles: me ? [] : rolesToGive('owner', person.role), manage: !me, reset: !me },
      ...more,
    };
  }

  accounts = (): Promise<AccountView[]> =>
    Promise.resolve([
      this.#account(anna),
      this.#account({ ...jonas, role: 'admin' }),
      this.#account(mila),
      this.#account(oma, { lastSeen: this.#now - 9 * day }),
      this.#account(
        { ...mila, id: 'p-old', name: 'tenant', displayName: 'The old tenant' },
        {
          blocked: true,
          lastSeen: this.#now - 200 * day,
        },
      ),
      this.#account(ravi, { guestUntil: this.#now + 5 * day }),
      this.#account(bot, { may: { roles: [], manage: true, reset: false } }),
    ]);

  setRole = nothing;
  letStay = nothing;
  setBlocked = nothing;
  end = nothing;
  signOut = nothing;
  revoke = nothing;
  decide = nothing;

  resetLink = (): Promise<ResetLink> =>
    Promise.resolve({
      link: `https://hearth.local/reset#${'k7Q2mXw9ZpL4tR8v'.repeat(4)}`,
      expiresAt: this.#now + day,
    });

  invitingRooms = (): InvitingRoom[] => [
    { id: 'r-general', name: 'General', general: true, sealed: true },
    { id: 'r-home', name: 'Around the house', general: false, sealed: false },
  ];

  invites = (): Promise<HouseInvite[]> => {
    const terms = { by: anna, expiresAt: this.#now + 3 * day };
    const general = { id: 'r-general', name: 'General' };
    const home = { id: 'r-home', name: 'Around the house' };
    return Promise.resolve([
      { ...terms, code: '7KQ4MZ2XPW', usesLeft: 5, guestUntil: null, room: general, link },
      {
        ...terms,
        code: 'B3NH8T5RQD',
        by: jonas,
        usesLeft: 1,
        guestUntil: this.#now + 30 * day,
        room: home,
        link: null,
      },
    ]);
  };

  invite = ({ uses }: { readonly uses: number }): Promise<InviteLink> =>
    Promise.resolve({ link, expiresAt: this.#now + 7 * day, uses });

  reports = (which: 'open' | 'decided'): Promise<Page<ReportView>> => {
    const base = { at: this.#now - 3 * hour, message: 'm-1', deleted: false, decision: null };
    const open: ReportView = {
      ...base,
      id: 'q-1',
      by: mila,
      room: { id: 'r-home', name: 'Around the house', here: true },
      sender: ravi,
      reason: 'This is not a nice thing to say',
      text: 'Whoever left the dishes again is a pig.',
      hasEvidence: false,
      rulings: ['dismiss', 'uphold', 'delete', 'mute', 'kick', 'ban'],
    };
    const sealed: ReportView = {
      ...open,
      id: 'q-2',
      by: oma,
      room: { id: 'r-x', name: null, here: false },
      sender: jonas,
      reason: 'He writes this every day',
      text: null,
      hasEvidence: true,
    };
    const decision = { by: anna, upheld: true, note: 'Talked to him', at: this.#now - hour };
    const items = which === 'open' ? [open, sealed] : [{ ...open, rulings: [], decision }];
    return Promise.resolve({ items, next: null });
  };

  evidence = (): Promise<EvidenceView> =>
    Promise.resolve({
      proof: 'signed',
      pin: 'verified',
      texts: ['Oma cannot cook.', 'Oma cannot cook, and everybody knows it.'],
      files: 1,
    });

  settings = (): Promise<HouseSettings> =>
    Promise.resolve({
      version: 3,
      house: 'The Lindens',
      registration: 'invite',
      keepDays: 365,
      keepBytes: 0,
      personMib: null,
      houseMib: 20_000,
      logDays: null,
    });

  changeSettings = (settings: HouseSettings): Promise<HouseSettings> => Promise.resolve(settings);

  storage = (): Promise<StorageView> =>
    Promise.resolve({
      files: 318,
      bytes: 2_410 * MB,
      houseMax: 20_000 * MB,
      personMax: 2_048 * MB,
      people: [
        { id: 'p-mila', name: 'mila', files: 201, bytes: 1_800 * MB },
        { id: 'p-anna', name: 'anna', files: 110, bytes: 560 * MB },
        { id: 'p-oma', name: 'oma_grete', files: 7, bytes: 50 * MB },
      ],
    });

  addresses = (): Promise<AddressRules> =>
    Promise.resolve({
      version: 2,
      allow: ['192.168.1.0/24', 'fd00::/8'],
      deny: ['192.168.1.66'],
      yours: '192.168.1.20',
    });

  changeAddresses = (rules: AddressRules): Promise<AddressRules> => Promise.resolve(rules);

  health = (): Promise<HealthView> =>
    Promise.resolve({
      version: '0.1.0',
      clockTrusted: true,
      mqtt: '192.168.1.2:1883',
      counts: new Map([
        ['hearth_mqtt_connections', 7],
        ['hearth_http_connections{door="tls"}', 5],
        ['hearth_store_commits_total', 48_211],
        ['hearth_mqtt_publishes_received_total', 12_048],
        ['hearth_mqtt_publishes_sent_total', 60_322],
        ['hearth_mqtt_publishes_refused_total', 3],
        ['hearth_http_turned_away_total', 2],
        ['hearth_http_answers_total{status="2xx"}', 92_114],
      ]),
    });

  log = (): Promise<Page<LogEntry>> => {
    const base = { room: null, from: null, to: null, whom: null, reason: '', by: anna };
    const house = { kind: 'house', name: null } as const;
    const user = (name: string): LogEntry['subject'] => ({ kind: 'user', name });
    return Promise.resolve({
      next: 'older',
      items: [
        { ...base, id: 'e-1', at: this.#now - hour, action: 'settings.change', subject: house },
        {
          ...base,
          id: 'e-2',
          at: this.#now - 2 * hour,
          action: 'room.mute',
          subject: user('Ravi'),
          room: 'Around the house',
          reason: 'Too loud',
        },
        {
          ...base,
          id: 'e-3',
          at: this.#now - 26 * hour,
          by: null,
          action: 'backup.make',
          subject: house,
        },
        {
          ...base,
          id: 'e-4',
          at: this.#now - 27 * hour,
          action: 'user.role',
          subject: user('Jonas'),
          from: 'member',
          to: 'admin',
        },
        {
          ...base,
          id: 'e-5',
          at: this.#now - 28 * hour,
          action: 'member.role',
          subject: { kind: 'room', name: 'Garden' },
          whom: 'Mila',
          to: 'admin',
        },
      ],
    });
  };
}
