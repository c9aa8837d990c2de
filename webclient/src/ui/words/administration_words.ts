// The words of whoever runs the house, in the language of the moment; loaded with their screens.
import type { Problem } from '../../state/model';
import { language } from './catalogue.svelte';
import { englishAdministration } from './english_administration';
import { frenchAdministration } from './french_administration';

const catalogue = { en: englishAdministration, fr: frenchAdministration } as const;

/** The sentences of administration. Reading it in a template follows changes of the language. */
export function administrationWords(): typeof englishAdministration {
  return catalogue[language()];
}

/** A problem in the words of administration, where there are some for it. */
export function explained(problem: Problem | null): Problem | null {
  if (problem === null) return null;
  const known = administrationWords().problems[problem.code];
  if (known === undefined) return problem;
  return { code: problem.code, message: known[0], hint: known[1] };
}
