// The language of the screens: chosen by the browser, changed in the settings, read with words().
import { english } from './english';

/** The shape every language fills completely. */
export type Words = typeof english;
export type Language = 'en' | 'fr';

/** English is always here; another language comes when it is wanted. */
const here = new Map<Language, Words>([['en', english]]);
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

async function load(wanted: Language): Promise<void> {
  if (here.has(wanted)) return;
  const { french } = await import('./french');
  here.set('fr', french);
}

/** Before the first screen: the words it is written in. What cannot be fetched is English meanwhile. */
export async function prepareWords(): Promise<void> {
  await load(current.language).catch(() => (current.language = 'en'));
}

/** The sentences in the language of the moment. Reading it in a template follows changes. */
export function words(): Words {
  return here.get(current.language) ?? english;
}

/** The language of the moment. */
export function language(): Language {
  return current.language;
}

/** Changes the language and remembers it in this browser. */
export async function setLanguage(next: Language): Promise<void> {
  await load(next);
  current.language = next;
  localStorage.setItem(stored, next);
}
