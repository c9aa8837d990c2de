// Where in the settings the person is, in the address: back works, and a link leads there.
import { sections, type Section } from './sections';

/** The whole list, a part of it, or not there at all. */
export type SettingsPlace = Section | 'all' | null;

const PREFIX = '#/settings';

/** The place that a fragment names. */
export function settingsPlace(fragment: string): SettingsPlace {
  if (fragment === PREFIX) return 'all';
  return sections.find((section) => fragment === `${PREFIX}/${section}`) ?? null;
}

const fragmentOf = (place: SettingsPlace): string => {
  if (place === null) return location.pathname;
  return place === 'all' ? PREFIX : `${PREFIX}/${place}`;
};

function depth(): number {
  const state: unknown = history.state;
  const found: unknown =
    typeof state === 'object' && state !== null ? Reflect.get(state, 'settings') : undefined;
  return typeof found === 'number' ? found : 0;
}

export class SettingsAddress {
  place = $state<SettingsPlace>(settingsPlace(location.hash));
  /** The browser is on its way out: what it passes then is another entry. */
  #leaving = false;
  /** Where to go once it is out. */
  #next: Exclude<SettingsPlace, null> | null = null;

  /** `step`: back leads to where one is now; else the place only changes. */
  go(place: Exclude<SettingsPlace, null>, step: boolean): void {
    if (this.#leaving) return void (this.#next = place);
    const settings = depth() + (step ? 1 : 0);
    const entry = { ...history.state, settings };
    if (step) history.pushState(entry, '', fragmentOf(place));
    else history.replaceState(entry, '', fragmentOf(place));
    this.place = place;
  }

  /** Back to the list, or out. */
  back(): void {
    if (depth() > 0) history.back();
    else this.go('all', false);
  }

  /** Stays until the browser is back where it was: nothing else is gone to meanwhile. */
  close(): void {
    if (this.#leaving) return;
    const steps = depth();
    if (steps > 0) {
      this.#leaving = true;
      return history.go(-steps);
    }
    this.place = null;
    history.replaceState(history.state, '', fragmentOf(null));
  }

  /** The browser went back or forward. */
  arrived(): void {
    const next = this.#next;
    this.#leaving = false;
    this.#next = null;
    this.place = settingsPlace(location.hash);
    if (next !== null) this.go(next, true);
  }
}
