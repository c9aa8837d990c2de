// The parts of running the house, in their order.

export const houseSections = [
  'people',
  'guests',
  'invites',
  'reports',
  'house',
  'storage',
  'addresses',
  'health',
  'log',
] as const;
export type HouseSection = (typeof houseSections)[number];

export const isHouseSection = (name: string): name is HouseSection =>
  houseSections.some((section) => section === name);
