// The names of the rooms one is in, for every text below: `#name` is a link there.
import { getContext, setContext } from 'svelte';
import type { RoomName } from '../markdown/rooms';

const KEY = Symbol('rooms');
const NONE = (): readonly RoomName[] => [];

export function provideRoomNames(names: () => readonly RoomName[]): void {
  setContext(KEY, names);
}

/** Those of a component above; none where there are none. */
export const roomNamesHere = (): (() => readonly RoomName[]) =>
  getContext<(() => readonly RoomName[]) | undefined>(KEY) ?? NONE;
