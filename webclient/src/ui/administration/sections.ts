// The parts of running the house, in their order, and to whom they are offered.
import { may, runsHouse } from '../../state/may';
import type { HouseRole, RoomSummary } from '../../state/model';

export const houseSections = [
  'people',
  'guests',
  'bots',
  'invites',
  'reports',
  'house',
  'storage',
  'addresses',
  'grants',
  'health',
  'log',
] as const;
export type HouseSection = (typeof houseSections)[number];

export const isHouseSection = (name: string): name is HouseSection =>
  houseSections.some((section) => section === name);

/** Whoever keeps order in a room decides its reports; the rest is for those who run the house. */
export function houseSectionsOf(
  role: HouseRole,
  rooms: readonly Pick<RoomSummary, 'myRole' | 'type'>[],
): readonly HouseSection[] {
  if (runsHouse(role)) return houseSections;
  return rooms.some(({ myRole, type }) => may(myRole, 'moderate', type)) ? ['reports'] : [];
}
