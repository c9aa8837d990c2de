// Colours of rooms without a place to keep them, for looking at the screens.
import type { Looks, RoomLooks } from '../../state/looks_model';
import { Observable } from '../../state/observable';

/** The garden is green. */
export function fakeLooks(): Looks {
  const looks = new Observable<RoomLooks>(new Map([['r-garden', 'moss']]));
  return {
    subscribe: (run) => looks.subscribe(run),
    paint: (room, colour) => looks.set(new Map([...looks.value, [room, colour]])),
  };
}
