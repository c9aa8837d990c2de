// Tone indicators at the end of a message: `/s`, `/j` … shown as chips, their meaning spoken.

/** Each with the forms it is written in; the names are the catalogue's. */
const FORMS = {
  joking: ['j', 'joking'],
  halfJoking: ['hj'],
  sarcastic: ['s', 'sarcasm', 'sarcastic'],
  serious: ['srs', 'serious'],
  genuine: ['g', 'gen', 'genuine'],
  teasing: ['t', 'teasing'],
  lightHearted: ['lh'],
  notMad: ['nm'],
  rhetorical: ['rh', 'rt'],
  quoting: ['q', 'quote'],
  positive: ['pos'],
  negative: ['neg', 'nc'],
} as const;

export type Tone = keyof typeof FORMS;

const byForm = new Map<string, Tone>(
  Object.entries(FORMS).flatMap(([tone, forms]) => forms.map((form) => [form, tone as Tone])),
);

/** The tone of a word such as `/s`; null when it is none. */
export function toneOf(word: string): Tone | null {
  return word.startsWith('/') ? (byForm.get(word.slice(1).toLowerCase()) ?? null) : null;
}

/** All tones with the form to write, for completion. */
export const TONES: readonly { readonly tone: Tone; readonly form: string }[] = Object.entries(
  FORMS,
).map(([tone, [form]]) => ({ tone: tone as Tone, form: `/${form}` }));

/** A text without the tones at its end, and those, in their order; `beside` came with the message. */
export function toned(text: string, beside: string | null): { text: string; tones: Tone[] } {
  const tones: Tone[] = [];
  let rest = text;
  for (;;) {
    const [whole, before, word] = /^([^]*?)(?:^|\s+)(\/[A-Za-z]+)\s*$/.exec(rest) ?? [];
    const tone = word === undefined ? null : toneOf(word);
    if (whole === undefined || before === undefined || tone === null) break;
    rest = before;
    if (!tones.includes(tone)) tones.unshift(tone);
  }
  const known = beside === null ? null : toneOf(beside.startsWith('/') ? beside : `/${beside}`);
  if (known !== null && !tones.includes(known)) tones.push(known);
  // A tone alone is what was said.
  return rest.trim() === '' ? { text, tones: [] } : { text: rest, tones };
}
