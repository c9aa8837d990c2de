// Where the person is: which room, which panel. Kept in the browser's history, so that back works.

export type PanelKind =
  'people' | 'devices' | 'invite' | 'readers' | 'settings' | 'search' | 'thread';

/** One place to be. On a phone: no room is the list, a room its messages, a panel covers both. */
export interface Place {
  readonly room: string | null;
  readonly panel: PanelKind | null;
}

const nowhere: Place = { room: null, panel: null };
const panels: readonly string[] = [
  'people',
  'devices',
  'invite',
  'readers',
  'settings',
  'search',
  'thread',
];

function isPanel(value: unknown): value is PanelKind {
  return typeof value === 'string' && panels.includes(value);
}

/** The place a history entry stands for; nowhere when it is not one of ours. */
export function placeOf(state: unknown): Place {
  if (typeof state !== 'object' || state === null) return nowhere;
  const room: unknown = Reflect.get(state, 'room');
  const panel: unknown = Reflect.get(state, 'panel');
  return {
    room: typeof room === 'string' ? room : null,
    panel: isPanel(panel) ? panel : null,
  };
}

function depthOf(state: unknown): number {
  if (typeof state !== 'object' || state === null) return 0;
  const depth: unknown = Reflect.get(state, 'depth');
  return typeof depth === 'number' ? depth : 0;
}

/** Walks the places: forward adds a history entry, back is the browser's back. */
export class View {
  place = $state.raw<Place>(placeOf(history.state));
  /** How many of our own entries lie below this one; a reload keeps them. */
  #depth = depthOf(history.state);
  /** The browser is on its way back. */
  #returning = false;
  /** Where to go once it is there. */
  #next: { readonly place: Place; readonly step: boolean } | null = null;

  /** On a phone each pane is a step of its own; on a desktop going is only a change. */
  go(place: Place, step: boolean): void {
    if (this.#returning) return void (this.#next = { place, step });
    const same = place.room === this.place.room && place.panel === this.place.panel;
    if (same) return;
    if (step) this.#depth += 1;
    const entry = { ...place, depth: this.#depth };
    if (step) history.pushState(entry, '');
    else history.replaceState(entry, '');
    this.place = place;
  }

  /** Back to where one came from, else to `otherwise`. */
  back(otherwise: Place): void {
    // Tapped twice it is one step, and not out of the house.
    if (this.#returning) return;
    if (this.#depth === 0) return this.go(otherwise, false);
    this.#returning = true;
    history.back();
  }

  /** The browser went back or forward, to `state`. */
  arrived(state: unknown): void {
    this.#depth = depthOf(state);
    this.place = placeOf(state);
    this.passed();
  }

  /** It went to what is no place of the rooms. */
  passed(): void {
    const next = this.#next;
    this.#returning = false;
    this.#next = null;
    if (next !== null) this.go(next.place, next.step);
  }
}
