// What the screens say in English of the rooms that everybody of the house finds.

/** The sentences about public rooms; other languages have the same keys. */
export const englishPublicRooms = {
  publicRooms: {
    title: 'Rooms of the house',
    browse: 'See the rooms you can join',
    search: 'Search for a room',
    none: 'No room is for everybody yet. Make one with the plus beside the rooms.',
    notFound: 'No room of that name.',
    found: (n: number) => (n === 1 ? '1 room found' : `${n} rooms found`),
    more: 'Show more',
    people: (n: number) => (n === 1 ? '1 person' : `${n} people`),
    join: 'Join',
    joinLabel: (room: string) => `Join ${room}`,
    open: 'Open',
    openLabel: (room: string) => `Open ${room}`,
  },
};
