// The colours that a person gives to rooms, for oneself alone.

/** In the order in which they are offered; the first is the house's own. */
export const ROOM_COLOURS = ['ember', 'honey', 'moss', 'lake', 'plum', 'slate'] as const;

export type RoomColour = (typeof ROOM_COLOURS)[number];

/** Rooms that have a colour of their own here. */
export type RoomLooks = ReadonlyMap<string, RoomColour>;

/** One property of `App`; Svelte's store contract. */
export interface Looks {
  subscribe(run: (looks: RoomLooks) => void): () => void;
  /** Gives a room a colour, kept in this browser until somebody signs out. */
  paint(room: string, colour: RoomColour): void;
}
