// Whole screens by name, for looking at and for screenshots: /gallery?scene=room
import type { RoomView } from '../../state/model';
import { farUp } from './fake_reading';
import { accountScenes } from './account_scenes';
import { FakeApp } from './fake_app';
import { chosen, withFiles } from './files';
import { mila, oma } from './people';
import { withPictures } from './pictures';
import { changedAt, readersAt } from './readers';
import { talk } from './talk';
import { evening, everything } from './timeline';

const day = 24 * 60 * 60_000;
const offline = { kind: 'offline', retryAt: null } as const;
const invitation = {
  code: '7KQ4MZ2XPW',
  house: 'The Lindens',
  inviter: 'Anna',
  guestUntil: null,
  visit: false,
  rooms: ['General', 'Garden'],
};

async function inRoom(app: FakeApp, part: Partial<RoomView> = {}): Promise<FakeApp> {
  await app.openRoom('r-general');
  app.changeRoom(part);
  return app;
}

async function withSheet(now: number): Promise<FakeApp> {
  const app = new FakeApp(now, { phase: 'setup' });
  await app.setUp({ house: 'The Lindens', name: 'anna', password: '' });
  return app;
}

async function busyHouse(now: number): Promise<FakeApp> {
  const app = new FakeApp(now, { phase: 'setup', house: null, working: 'password' });
  app.setUp = () => new Promise(() => undefined);
  return app;
}

function failing(now: number): FakeApp {
  const app = new FakeApp(now, { phase: 'login' });
  app.login = () => Promise.reject({ code: 'wrong_login', message: '', hint: '' });
  return app;
}

/** Each makes an application that shows one screen. */
export const scenes: Readonly<Record<string, (now: number) => FakeApp | Promise<FakeApp>>> = {
  loading: (now) => new FakeApp(now, { phase: 'loading' }),
  setup: (now) => new FakeApp(now, { phase: 'setup', house: null }),
  'setup-busy': busyHouse,
  sheet: withSheet,
  join: (now) =>
    new FakeApp(now, { phase: 'join', invitation: { ...invitation, expiresAt: now + 7 * day } }),
  'join-gone': (now) =>
    new FakeApp(now, {
      phase: 'join',
      problem: { code: 'invite_used_up', message: '', hint: '' },
    }),
  login: (now) => new FakeApp(now, { phase: 'login' }),
  'login-wrong': failing,
  ...accountScenes,
  rooms: (now) => new FakeApp(now),
  room: (now) => inRoom(new FakeApp(now)),
  everything: (now) => inRoom(new FakeApp(now), { timeline: everything(now), complete: true }),
  talk: (now) =>
    inRoom(new FakeApp(now), {
      timeline: talk(now),
      complete: true,
      typing: [mila, oma],
      readTo: 0,
    }),
  'far-up': (now) =>
    inRoom(new FakeApp(now), { timeline: evening(now), reading: farUp(evening(now)) }),
  files: (now) => {
    const app = new FakeApp(now);
    app.files = chosen;
    return inRoom(app, { timeline: withFiles(now), complete: true });
  },
  pictures: withPictures,
  offline: (now) => inRoom(new FakeApp(now, { connection: offline, waiting: 3 })),
  waiting: (now) =>
    inRoom(new FakeApp(now), {
      timeline: everything(now).slice(0, 7),
      block: 'waiting_for_key',
      complete: true,
    }),
  changed: (now) =>
    inRoom(new FakeApp(now), {
      timeline: evening(now),
      block: 'changed_keys',
      readers: { ...readersAt(now, 'sealed', false), changed: changedAt(now) },
    }),
  split: (now) => inRoom(new FakeApp(now), { block: 'room_split' }),
  skeleton: (now) => inRoom(new FakeApp(now), { timeline: [], loadingOlder: true }),
  problem: (now) =>
    inRoom(new FakeApp(now, { problem: { code: 'offline', message: '', hint: '' } }), {
      timeline: evening(now),
    }),
};
