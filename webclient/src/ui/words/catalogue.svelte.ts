// The language of the screens: chosen by the browser, changed in the settings, read with words().
import { english } from './english';
import { french } from './french';

/** The shape every language fills completely. */
export type Words = typeof english;
export type Language = 'en' | 'fr';

const catalogue: Readonly<Record<Language, Words>> = { en: english, fr: french };
const stored = 'hearth.language';

/** The first language of the list that there is a catalogue for, else English. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (/^fr\b/i.test(tag)) return 'fr';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

function first(): Language {
  const chosen = localStorage.getItem(stored);
  return chosen === 'en' || chosen === 'fr' ? chosen : pickLanguage(navigator.languages);
}

const current = $state<{ language: Language }>({ language: first() });

/** The sentences in the language of the moment. Reading it in a template follows changes. */
export function words(): Words {
  return catalogue[current.language];
}

/** The language of the moment. */
export function language(): Language {
  return current.language;
}

/** Changes the language and remembers it in this browser. */
export function setLanguage(next: Language): void {
  current.language = next;
  localStorage.setItem(stored, next);
}
