// People who have a picture, drawn here: a room and a profile that show them.
import type { AppState, Person, RoomView } from '../../state/model';
import { accountAt } from './fake_account';
import { FakeApp } from './fake_app';
import { anna, members, mila, oma } from './people';
import { evening } from './timeline';

const SIDE = 128;

/** Two colours each, at which the light and the dark of the theme are put to the test. */
const COLOURS: Readonly<Record<string, readonly [string, string]>> = {
  [anna.id]: ['#f2d9a0', '#8a3b12'],
  [mila.id]: ['#ffffff', '#e8eef7'],
  [oma.id]: ['#101418', '#2f4858'],
};

const pictured = (person: Person): Person =>
  person.id in COLOURS ? { ...person, avatar: person.id } : person;

/** A head and shoulders in a person's colours; null: they have none. */
function portrait(avatar: string): Promise<Blob | null> {
  const colours = COLOURS[avatar];
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [SIDE, SIDE];
  const context = canvas.getContext('2d');
  if (colours === undefined || context === null) return Promise.resolve(null);
  const [ground, head] = colours;
  context.fillStyle = ground;
  context.fillRect(0, 0, SIDE, SIDE);
  context.fillStyle = head;
  for (const [y, radius] of [
    [48, 26],
    [140, 54],
  ] as const) {
    context.beginPath();
    context.arc(SIDE / 2, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
  return new Promise((resolve) => canvas.toBlob(resolve));
}

/** The general room, among people with pictures. */
export async function withPictures(now: number): Promise<FakeApp> {
  const account = accountAt(now);
  const { profile } = account;
  const state: Partial<AppState> = {
    me: pictured(anna),
    account: { ...account, profile: profile === null ? null : { ...profile, avatar: anna.id } },
  };
  const app = new FakeApp(now, state);
  app.people.picture = portrait;
  await app.openRoom('r-general');
  const timeline = evening(now).map((item) =>
    item.kind === 'message' ? { ...item, sender: pictured(item.sender) } : item,
  );
  const shown = members.map((one) => ({ ...one, person: pictured(one.person) }));
  app.changeRoom({ timeline, members: shown } satisfies Partial<RoomView>);
  return app;
}
