// Files of messages against a box in memory: up, shown, opened; cut off, taken back, in two tabs.
import { beforeEach, expect, test } from 'vitest';
import { FILE_BYTES_MAX } from '../protocol/attachment';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, messages, openGeneral, settled, shows } from '../testing/screens';
import { trayOf, type FilesState } from './files_model';
import type { App, MessageItem } from './model';

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

const pdf = (words: string, name = 'plan.pdf'): File =>
  new File(
    [utf8(`%PDF-1.7 ${words}`)].map((part) => new Uint8Array(part)),
    name,
    {
      type: 'application/pdf',
    },
  );

function stateOf(app: App): FilesState {
  let state: FilesState = { trays: {}, progress: {} };
  app.files.subscribe((now) => (state = now))();
  return state;
}

const withFiles = (app: App): MessageItem | undefined =>
  messages(app.state).find(({ attachments }) => attachments.length > 0);

async function words(app: App): Promise<string> {
  const item = withFiles(app);
  const [file] = item?.attachments ?? [];
  if (item === undefined || file === undefined) throw new Error('no file is shown');
  const { blob } = await app.files.open({ message: item.id, attachment: file.id }, 'whole');
  return fromUtf8(new Uint8Array(await blob.arrayBuffer()));
}

async function friend(app: App, general: string): Promise<App> {
  const url = new URL((await app.makeInvite(general, 3)).link);
  const theirs = await new Browser(house, clock).open(url.pathname, url.hash);
  await theirs.join({ name: 'ben', password: 'battery staple' });
  await openGeneral(theirs);
  return theirs;
}

async function openRoom(app: App): Promise<string> {
  const id = await app.createRoom({ name: 'Kitchen', type: 'public', sealing: 'open' });
  await app.openRoom(id);
  return id;
}

test('a file goes sealed, under no name, and the other opens it', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  const ben = await friend(ada, general);
  await ada.files.choose(general, [pdf('the garden')]);
  await ada.send('look at this');
  await until(ben, shows('look at this'));
  expect(withFiles(ben)?.attachments[0]).toMatchObject({ name: 'plan.pdf', kind: 'file' });
  expect(await words(ben)).toBe('%PDF-1.7 the garden');
  const [kept] = house.files.kept.values();
  expect(kept?.name).toBeNull();
  expect(kept?.event).toBe(withFiles(ben)?.id);
  const lies = fromUtf8(
    new Uint8Array(await (kept?.blob ?? new Blob()).slice(0, 21).arrayBuffer()),
  );
  expect(lies).toBe('age-encryption.org/v1');
  expect(stateOf(ada).trays).toEqual({});
});

test('in an open room it goes as it is, and no key goes with it', async () => {
  const { app: ada } = await foundHouse(house, clock);
  const room = await openRoom(ada);
  await ada.files.choose(room, [pdf('for all')]);
  await ada.send('');
  await until(ada, settled);
  expect(await words(ada)).toBe('%PDF-1.7 for all');
  const [kept] = house.files.kept.values();
  expect(kept?.name).toBe('plan.pdf');
  const events = [...house.rooms.values()].flatMap((one) => one.events);
  const clear = events.map(({ bytes }) => new TextDecoder().decode(bytes)).join('');
  expect(clear).not.toContain('AGE-SECRET-KEY');
});

test('what an open room does not take, and what is too large, is refused before it goes up', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  const room = await openRoom(ada);
  await ada.files.choose(room, [new File(['#!/bin/sh'], 'run.sh')]);
  await expect(ada.send('')).rejects.toMatchObject({ code: 'bad_type' });
  await ada.openRoom(general);
  const large = [new File([new Uint8Array(FILE_BYTES_MAX + 1)], 'film.bin')];
  await ada.files.choose(general, large);
  await expect(ada.send('')).rejects.toMatchObject({ code: 'file_too_large' });
  const [staged] = stateOf(ada).trays[general] ?? [];
  expect(staged?.state).toMatchObject({ code: 'file_too_large' });
  ada.files.drop(general, staged?.id ?? '');
  await expect(ada.send('')).rejects.toMatchObject({ code: 'empty' });
  const edge = new File([new Uint8Array(FILE_BYTES_MAX)], 'edge.bin');
  await ada.files.choose(general, [edge]);
  await ada.send('');
  await until(ada, settled);
  expect(house.files.kept.size).toBe(1);
});

test('a message takes ten files, and says so of the eleventh', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  const many = Array.from({ length: 11 }, (_, n) => pdf(String(n), `${n}.pdf`));
  await expect(ada.files.choose(general, many)).rejects.toMatchObject({ code: 'too_many_files' });
  await ada.send('ten');
  await until(ada, shows('ten'));
  expect(withFiles(ada)?.attachments.map(({ name }) => name)).toEqual(
    many.slice(0, 10).map(({ name }) => name),
  );
});

test('goes into the room that was open when it was sent, whichever is open once it is sealed', async () => {
  const { app, general } = await foundHouse(house, clock);
  const kitchen = await app.createRoom({ name: 'Kitchen', type: 'private', sealing: 'sealed' });
  await app.files.choose(general, [pdf('for all')]);
  const sent = app.send('the plan');
  await app.openRoom(kitchen);
  await sent;
  await until(app, settled);
  expect(messages(app.state)).toEqual([]);
  await app.openRoom(general);
  await until(app, shows('the plan'));
  expect(withFiles(app)?.attachments).toHaveLength(1);
});

test('what was cut off in the middle goes up once the network is back, and words pass it', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  house.files.faults.push('cut');
  await ada.files.choose(general, [pdf('slow')]);
  await ada.send('with a file');
  await ada.send('words alone');
  await until(ada, shows('words alone'));
  expect(withFiles(ada)?.delivery.kind).toBe('queued');
  await elapsing(clock, ada, shows('with a file'));
  expect(house.files.kept.size).toBe(1);
});

test('a reload in the middle of an upload loses nothing', async () => {
  const { app: ada, browser, general } = await foundHouse(house, clock);
  let go = (): void => undefined;
  house.files.held = new Promise((resolve) => (go = resolve));
  await ada.files.choose(general, [pdf('kept')]);
  await ada.send('before the reload');
  await until({ state: ada.state, subscribe: (run) => ada.subscribe(run) }, () => true);
  expect(await words(ada)).toBe('%PDF-1.7 kept');
  browser.crash();
  house.files.held = null;
  const again = await browser.open();
  await openGeneral(again);
  await until(again, shows('before the reload'));
  go();
  expect(await words(again)).toBe('%PDF-1.7 kept');
  expect(await browser.shelf.list('files', { prefix: '' })).toEqual([]);
});

test('what is on its way up is taken back, and its bytes with it', async () => {
  const { app: ada, browser, general } = await foundHouse(house, clock);
  let go = (): void => undefined;
  house.files.held = new Promise((resolve) => (go = resolve));
  await ada.files.choose(general, [pdf('never mind')]);
  await ada.send('oops');
  const item = withFiles(ada);
  await ada.files.cancel(item?.id ?? '');
  go();
  await until(ada, ({ waiting }) => waiting === 0);
  expect(withFiles(ada)).toBeUndefined();
  expect(await browser.shelf.list('files', { prefix: '' })).toEqual([]);
  await ada.send('after it');
  await until(ada, shows('after it'));
});

test('what the box refuses is said, and tried again by hand', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  house.files.faults.push('quota_full');
  await ada.files.choose(general, [pdf('too much')]);
  await ada.send('full');
  await until(ada, () => withFiles(ada)?.delivery.kind === 'failed');
  expect(withFiles(ada)?.delivery).toMatchObject({ problem: { code: 'quota_full' } });
  await ada.retry(withFiles(ada)?.id ?? '');
  await until(ada, shows('full'));
});

test('a tab that follows hands its files to the one that leads', async () => {
  const { app: leads, browser, general } = await foundHouse(house, clock);
  const follows = await browser.open();
  await openGeneral(follows);
  leads.takeOver();
  await until(leads, ({ connection }) => connection.kind === 'online');
  await follows.files.choose(general, [pdf('from the other tab')]);
  await follows.send('from the other tab');
  await until(leads, shows('from the other tab'));
  expect(await words(leads)).toBe('%PDF-1.7 from the other tab');
});

test('a file that the box has altered, or has no more, says so', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  const ben = await friend(ada, general);
  await ada.files.choose(general, [pdf('whole')]);
  await ada.send('a file');
  await until(ben, shows('a file'));
  const [[id, kept] = []] = [...house.files.kept];
  if (id === undefined || kept === undefined) throw new Error('nothing went up');
  const bytes = new Uint8Array(await kept.blob.arrayBuffer());
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  house.files.kept.set(id, { ...kept, blob: new Blob([bytes]) });
  await expect(words(ben)).rejects.toMatchObject({ code: 'file_damaged' });
  house.files.kept.delete(id);
  await expect(words(ben)).rejects.toMatchObject({ code: 'file_gone' });
});

test('a deleted message shows its files no longer; a quote and the list say what was shown', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  await ada.files.choose(general, [pdf('a')]);
  await ada.send('');
  await until(ada, settled);
  const item = withFiles(ada);
  await until(ada, ({ rooms }) => rooms[0]?.lastFiles === 'file');
  await ada.send('about it', item?.id);
  await until(ada, shows('about it'));
  expect(messages(ada.state).at(-1)?.quote).toMatchObject({ kind: 'message', files: 'file' });
  await ada.remove(item?.id ?? '');
  await until(ada, (state) => messages(state).some(({ deleted }) => deleted));
  expect(withFiles(ada)).toBeUndefined();
});

test('a thread has a tray of its own beside that of its room', async () => {
  const { app: ada, general } = await foundHouse(house, clock);
  await ada.send('where shall we go?');
  await until(ada, settled);
  const asked = messages(ada.state)[0]?.id ?? '';
  const thread = trayOf(general, asked);
  await ada.files.choose(general, [pdf('for the room')]);
  await ada.files.choose(thread, [pdf('for the thread')]);
  await ada.send('here', asked, asked);
  await until(ada, settled);
  expect(Object.keys(stateOf(ada).trays)).toEqual([general]);
  expect(await words(ada)).toBe('%PDF-1.7 for the thread');
});
