// Rooms as the box tells of them: what others put there hides nobody.
import { expect, test } from 'vitest';
import { b64u } from '../protocol/bytes';
import { parseId } from '../protocol/ids';
import { Http } from './http';
import { RoomsApi } from './rooms';

const room = parseId('01890000-0000-7000-8000-000000000001');
const user = parseId('01890000-0000-7000-8000-000000000002');

test('a malformed proof hides nobody else who waits', async () => {
  const proof = (bytes: Uint8Array) => ({ user, code: '0123456789', proof: b64u(bytes) });
  const good = proof(new Uint8Array(64).fill(7));
  for (const bad of [proof(new Uint8Array(1)), proof(new Uint8Array(65)), { user: 1 }, null]) {
    const body = JSON.stringify({ members: [], waiting: [bad, good] });
    const http = new Http(async () => new Response(body), {
      current: () => 'token',
      renew: async () => null,
    });
    const { waiting } = await new RoomsApi(http).members(room);
    expect(waiting).toEqual([{ ...good, proof: new Uint8Array(64).fill(7) }]);
  }
});

test('a room that does not read hides no other', async () => {
  const good = { id: room, name: 'Attic', type: 'private', sealing: 'sealed' };
  const places = { head_position: 1, first_position: 1 };
  const bad = { ...good, ...places, keep_bytes: 2 ** 60 };
  const http = new Http(async () => Response.json({ rooms: [bad, { ...good, ...places }, 1] }), {
    current: () => 'token',
    renew: async () => null,
  });
  expect((await new RoomsApi(http).list()).map(({ keepBytes }) => keepBytes)).toEqual([0]);
});
