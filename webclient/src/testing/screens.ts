// What tests look for on the screens, and the first steps they share.
import type { App, AppState, MessageItem } from '../state/model';
import { Browser } from './browser';
import { until, type FakeClock } from './clock';
import type { FakeHouse } from './house';

export interface Founder {
  readonly app: App;
  readonly browser: Browser;
  readonly general: string;
}

export const messages = (state: AppState): MessageItem[] =>
  (state.currentRoom?.timeline ?? []).filter(
    (item): item is MessageItem => item.kind === 'message',
  );

/** Whether a message with this text is shown as stored. */
export const shows =
  (text: string) =>
  (state: AppState): boolean =>
    messages(state).some((item) => item.text === text && item.delivery.kind === 'stored');

/** Whether nothing is on its way. */
export const settled = (state: AppState): boolean =>
  state.waiting === 0 && messages(state).every(({ delivery }) => delivery.kind === 'stored');

/** The open general room, its key there. */
export async function openGeneral(app: App): Promise<string> {
  const state = await until(app, ({ rooms, connection }) => {
    return connection.kind === 'online' && rooms.length > 0;
  });
  const id = state.rooms[0]?.id ?? '';
  await app.openRoom(id);
  await until(app, ({ currentRoom }) => currentRoom?.block === null);
  return id;
}

/** Somebody who comes by an invite of this person's. */
export async function joined(
  { house, clock }: { house: FakeHouse; clock: FakeClock },
  app: App,
  room: string,
  name: string,
): Promise<{ app: App; browser: Browser }> {
  const { link } = await app.makeInvite(room, 3);
  const url = new URL(link);
  const browser = new Browser(house, clock);
  const theirs = await browser.open(url.pathname, url.hash);
  await theirs.join({ name, password: 'battery staple' });
  await openGeneral(theirs);
  return { app: theirs, browser };
}

/** Sets a house up and opens its general room. */
export async function foundHouse(house: FakeHouse, clock: FakeClock): Promise<Founder> {
  const browser = new Browser(house, clock);
  const app = await browser.open('/setup', `#${'x'.repeat(22)}`);
  await app.setUp({ house: 'Our house', name: 'ada', password: 'correct horse' });
  app.recoverySheetKept();
  return { app, browser, general: await openGeneral(app) };
}
