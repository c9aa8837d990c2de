// What a role may do in a room: the same table as protocol/src/role.rs. The box decides; the
// screens ask here so as not to offer what would be refused.
import type { HouseRole, RoomRole, RoomType } from './model';

export type RoomAction =
  | 'invite'
  | 'manageDevices'
  | 'manageRoom'
  | 'removeMember'
  | 'changeRole'
  | 'moderate'
  | 'deleteRoom';

const NEVER_IN_DIRECT: readonly RoomAction[] = ['invite', 'removeMember', 'changeRole', 'moderate'];
/** For those who live here. */
const LIVING: readonly HouseAction[] = ['makeRooms', 'findRooms', 'findPeople'];
const OWNERS: readonly RoomAction[] = ['changeRole', 'deleteRoom'];

/** Whether a member with this role may do this in a room of this kind. */
export function may(role: RoomRole, action: RoomAction, type: RoomType): boolean {
  if (type === 'direct' && NEVER_IN_DIRECT.includes(action)) return false;
  return role === 'owner' || (role === 'admin' && !OWNERS.includes(action));
}

export type HouseAction = 'makeRooms' | 'findRooms' | 'findPeople';

/** Whether somebody of this role may do this in the house. */
export const mayInHouse = (role: HouseRole, action: HouseAction): boolean =>
  role !== 'guest' || !LIVING.includes(action);

/** Whether somebody runs the house: people, settings, reports. */
export const runsHouse = (role: HouseRole): boolean => role === 'owner' || role === 'admin';
