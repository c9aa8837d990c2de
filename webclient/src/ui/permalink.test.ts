// Addresses of messages: made, read back, and nothing else taken for one.
import { expect, test } from 'vitest';
import { permalink, roomAddress, targetOf, targetOfLink } from './permalink';

const ROOM = '01929b2a-7c01-7abc-8def-000000000001';
const MESSAGE = '01929b2a-7c01-7abc-8def-000000000002';
const HOUSE = 'https://hearth.local';

test('what is made leads back', () => {
  const link = permalink(HOUSE, ROOM, 17);
  expect(targetOfLink(link, HOUSE)).toEqual({
    room: ROOM,
    spot: { kind: 'position', position: 17 },
  });
  expect(targetOf(`#/rooms/${ROOM}/m/${MESSAGE}`)).toEqual({
    room: ROOM,
    spot: { kind: 'item', id: MESSAGE },
  });
});

test('a room has an address too', () => {
  expect(targetOfLink(`${HOUSE}${roomAddress(ROOM)}`, HOUSE)).toEqual({ room: ROOM, spot: null });
});

test('other addresses are none', () => {
  for (const fragment of [
    '',
    '#/rooms',
    `#/rooms/${ROOM}/m/`,
    `#/rooms/${ROOM}/m/0`,
    `#/rooms/${ROOM}/m/-1`,
    `#/rooms/${ROOM}/m/1e3`,
    `#/rooms/${ROOM}/m/${'9'.repeat(20)}`,
    `#/rooms/../m/3`,
    `#/rooms/${ROOM}/m/3/x`,
  ]) {
    expect(targetOf(fragment), fragment).toBeNull();
  }
  expect(targetOfLink(permalink('https://other.example', ROOM, 17), HOUSE)).toBeNull();
  expect(targetOfLink(`${HOUSE}/x#/rooms/${ROOM}/m/3`, HOUSE)).toBeNull();
  expect(targetOfLink('not an address', HOUSE)).toBeNull();
});
