// The household of the gallery.
import type { MemberView, Person, RoomSummary } from '../../state/model';
import type { PublicRoom } from '../../state/people_model';

function person(id: string, name: string, role: Person['role'] = 'member'): Person {
  return { id, name: name.toLowerCase(), displayName: name, role, avatar: null };
}

export const anna = person('p-anna', 'Anna', 'owner');
export const mila = person('p-mila', 'Mila');
export const jonas = person('p-jonas', 'Jonas');
export const oma = person('p-oma', 'Oma Grete');
export const ravi = person('p-ravi', 'Ravi', 'guest');
/** A program's account. */
export const bot = { ...person('p-weather', 'weather', 'bot'), displayName: 'Weather' };
/** Was in the household. */
export const lea = person('p-lea', 'Lea');

/** All the people, as a room shows them. */
export const members: readonly MemberView[] = [
  { person: anna, role: 'owner', joinedAt: 0, key: 'listed', pin: 'self' },
  { person: mila, role: 'member', joinedAt: 0, key: 'listed', pin: 'verified' },
  { person: jonas, role: 'admin', joinedAt: 0, key: 'listed', pin: 'vouched' },
  { person: oma, role: 'member', joinedAt: 0, key: 'listed', pin: 'changed' },
  { person: ravi, role: 'member', joinedAt: 0, key: 'waiting', pin: 'unverified' },
];

function room(id: string, name: string, more: Partial<RoomSummary>): RoomSummary {
  return {
    id,
    name,
    type: 'private',
    sealing: 'sealed',
    general: false,
    other: null,
    myRole: 'owner',
    lastMessageAt: null,
    lastText: null,
    lastSender: null,
    lastFiles: null,
    unread: 0,
    mentions: 0,
    ...more,
  };
}

/** The rooms, as they are at `now`. */
export function roomsAt(now: number): RoomSummary[] {
  const minute = 60_000;
  const day = 24 * 60 * minute;
  return [
    room('r-general', 'General', {
      general: true,
      type: 'public',
      lastMessageAt: now - 2 * minute,
      lastText: 'I’ll bring the bread',
      lastSender: 'Mila',
    }),
    room('r-home', 'Around the house', {
      sealing: 'open',
      lastMessageAt: now - 26 * minute,
      lastText: 'Washing done',
      lastSender: 'washer',
      unread: 3,
    }),
    room('r-garden', 'Garden', {
      lastMessageAt: now - day,
      lastText: 'The tomatoes want water, and the hose has a hole again',
      lastSender: 'Oma Grete',
    }),
    room('r-oma', 'Oma Grete', {
      type: 'direct',
      other: { person: oma, presence: 'online' },
      lastMessageAt: now - 2 * day,
      lastText: 'Thank you for the pictures, my dear',
      lastSender: 'Oma Grete',
    }),
    room('r-gift', 'Anna’s birthday, ssh', {
      lastMessageAt: now - 3 * day,
      lastText: 'A bicycle bell?',
      lastSender: 'Jonas',
      unread: 12,
      mentions: 1,
    }),
    room('r-new', 'Holidays', {}),
  ];
}

/** What everybody of the house finds. */
export const publicRooms: readonly PublicRoom[] = [
  {
    id: 'r-general',
    name: 'General',
    topic: 'Everything that concerns us all',
    sealing: 'sealed',
    people: 5,
    mine: true,
  },
  {
    id: 'r-films',
    name: 'Films',
    topic:
      'What we watch on Fridays. Whoever proposes brings the popcorn, and says beforehand whether it has an end',
    sealing: 'open',
    people: 3,
    mine: false,
  },
  { id: 'r-chess', name: 'Chess', topic: '', sealing: 'sealed', people: 1, mine: false },
];
