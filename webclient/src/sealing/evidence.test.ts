// What a report shows of a sealed room: to whom it opens, what proves it, and what proves nothing.
import { beforeEach, describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { Circle, fresh, meet, person, type Someone } from '../testing/circle';
import { sealFile } from './agefile';
import { verifyCard } from './card';
import { parseWire } from './event';
import type { About, Evidence } from './requests';

let ada: Someone;
let ben: Someone;
/** Runs the house, and is not in the room. */
let olga: Someone;
let circle: Circle;
let wire: Uint8Array;
let about: About;

const texts = ({ bodies }: Evidence): string[] => bodies.map((body) => fromUtf8(body).trim());

beforeEach(async () => {
  [ada, ben, olga] = [await person(), await person(), await person()];
  circle = await Circle.found(ada);
  await circle.admit(ben, [ada]);
  await meet(ada, olga);
  await meet(ben, olga);
  wire = await circle.seal(ben, 1);
  about = { room: circle.room, message: parseWire(wire).id, sender: ben.user };
});

const shownBy = (by: Someone, wires = [wire], to: readonly Id[] = [olga.user]) =>
  by.keys.disclose(circle.room, wires, to);

describe('evidence', () => {
  test('opens to whom it was shown, and its writer’s signature holds without the room’s key', async () => {
    const { file, to } = await shownBy(ada);
    expect(to).toEqual([olga.user]);
    const seen = await olga.keys.readEvidence(file, about);
    expect(seen.proof).toBe('signed');
    expect(texts(seen)).toEqual(['{"type":"message","content":"1"}']);
  });

  test('opens to nobody else', async () => {
    const { file } = await shownBy(ada);
    const eve = await person();
    await expect(eve.keys.readEvidence(file, about)).rejects.toThrow(/no age file for this key/);
    await expect(ben.keys.readEvidence(file, about)).rejects.toThrow(/no age file for this key/);
  });

  test('opens to the reporter too, when they keep order themselves', async () => {
    const { file, to } = await shownBy(ada, [wire], [ada.user, olga.user]);
    expect(to).toEqual([ada.user, olga.user]);
    expect((await ada.keys.readEvidence(file, about)).proof).toBe('signed');
  });

  test('shows what the message was edited to beside what it was', async () => {
    const body = utf8(
      JSON.stringify({ type: 'edit', target: about.message, content: 'never mind' }),
    );
    const edit = await circle.seal(ben, 2, { body });
    const { file } = await shownBy(ada, [wire, edit]);
    const seen = await olga.keys.readEvidence(file, about);
    expect(seen.proof).toBe('signed');
    expect(texts(seen)).toHaveLength(2);
  });

  test('with an edit by somebody else is as weak as that edit', async () => {
    const edit = await circle.seal(ada, 1);
    const { file } = await shownBy(ada, [wire, edit]);
    expect((await olga.keys.readEvidence(file, about)).proof).toBe('claimed');
  });

  test('is not for people without keys, and for nobody there is none', async () => {
    const { to } = await shownBy(ada, [wire], [fresh(), olga.user]);
    expect(to).toEqual([olga.user]);
    await expect(shownBy(ada, [wire], [fresh()])).rejects.toThrow(/needs a recipient/);
    await expect(shownBy(ada, [])).rejects.toThrow(/nothing to show/);
  });

  test('of what does not open for the reporter is not made', async () => {
    await expect(shownBy(olga)).rejects.toThrow(/does not open here/);
    const broken = wire.slice();
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    await expect(shownBy(ada, [broken])).rejects.toThrow();
  });

  test('of another message, room or writer proves nothing about this one', async () => {
    const { file } = await shownBy(ada);
    for (const other of [{ message: fresh() }, { room: fresh() }]) {
      const read = olga.keys.readEvidence(file, { ...about, ...other });
      await expect(read).rejects.toThrow(/another message/);
    }
    const { proof } = await olga.keys.readEvidence(file, { ...about, sender: ada.user });
    expect(proof).toBe('claimed');
  });
});

test('signed with keys that are not those known to be the writer’s says so', async () => {
  const other = await person(ben.user);
  await olga.keys.addCards(ben.user, [other.card]);
  const digits = (await olga.keys.comparison(ben.user))?.digits ?? '';
  await olga.keys.checked(ben.user, digits, 1);
  await olga.keys.addCards(ben.user, [other.card, ben.card]);
  const { file } = await shownBy(ada);
  expect((await olga.keys.readEvidence(file, about)).proof).toBe('other_keys');
});

describe('evidence that somebody made up', () => {
  const made = async (events: readonly object[]): Promise<Uint8Array> => {
    const json = { room: about.room, message: about.message, events };
    const { age } = await verifyCard(olga.card);
    return sealFile([age], utf8(JSON.stringify(json)));
  };
  const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const event = (body: string, change: object = {}): object => ({
    head: b64(wire.slice(0, 50)),
    kid: b64(new Uint8Array(16)),
    body: b64(utf8(body)),
    signature: b64(new Uint8Array(64)),
    ...change,
  });

  test('is shown as the reporter’s word', async () => {
    const file = await made([event('{"type":"message","content":"I am a pig"}')]);
    const seen = await olga.keys.readEvidence(file, about);
    expect(seen.proof).toBe('claimed');
  });

  test('and does not read, is refused or proves nothing', async () => {
    const file = await made([event('{}', { head: b64(new Uint8Array(7)) })]);
    expect((await olga.keys.readEvidence(file, about)).proof).toBe('claimed');
    for (const events of [[], [event('{}', { kid: '' })], [{}, {}, {}]]) {
      await expect(olga.keys.readEvidence(await made(events), about)).rejects.toThrow();
    }
  });
});
