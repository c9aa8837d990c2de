// The tables of roles, row by row as protocol/src/role.rs has them.
import { describe, expect, test } from 'vitest';
import { may, mayInHouse, runsHouse, type HouseAction, type RoomAction } from './may';
import type { HouseRole, RoomRole } from './model';

const ROOM_ROLES: readonly RoomRole[] = ['owner', 'admin', 'member'];
const HOUSE_ROLES: readonly HouseRole[] = ['owner', 'admin', 'member', 'guest', 'bot'];

describe('in a private room', () => {
  test.each<[RoomAction, boolean[]]>([
    ['invite', [true, true, false]],
    ['manageDevices', [true, true, false]],
    ['manageRoom', [true, true, false]],
    ['removeMember', [true, true, false]],
    ['changeRole', [true, false, false]],
    ['moderate', [true, true, false]],
    ['deleteRoom', [true, false, false]],
  ])('%s is for owner, admin, member: %s', (action, expected) => {
    expect(ROOM_ROLES.map((role) => may(role, action, 'private'))).toEqual(expected);
    expect(ROOM_ROLES.map((role) => may(role, action, 'public'))).toEqual(expected);
  });
});

test.each<RoomAction>(['invite', 'removeMember', 'changeRole', 'moderate'])(
  '%s does not exist between two people',
  (action) => {
    expect(ROOM_ROLES.some((role) => may(role, action, 'direct'))).toBe(false);
  },
);

test('either of two people may end their room and keep its settings', () => {
  expect(may('owner', 'deleteRoom', 'direct')).toBe(true);
  expect(may('owner', 'manageRoom', 'direct')).toBe(true);
});

test.each<HouseAction>(['makeRooms', 'findRooms', 'findPeople'])(
  '%s is for whoever lives here, not for guests',
  (action) => {
    const expected = [true, true, true, false, true];
    expect(HOUSE_ROLES.map((role) => mayInHouse(role, action))).toEqual(expected);
  },
);

test('the house is run by its owner and admins', () => {
  expect(HOUSE_ROLES.map(runsHouse)).toEqual([true, true, false, false, false]);
});
