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

  /** `step`: back leads to where one is now; else the place only changes. */
  go(place: Exclude<SettingsPlace, null>, step: boolean): void {
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

  close(): void {
    const steps = depth();
    this.place = null;
    if (steps > 0) history.go(-steps);
    else history.replaceState(history.state, '', fragmentOf(null));
  }

  /** The browser went back or forward. */
  arrived(): void {
    this.place = settingsPlace(location.hash);
  }
}
