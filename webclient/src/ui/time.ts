// Dates and times in the words of a language.
import type { Words } from './words/catalogue.svelte';

/** The region's way to write dates (en-GB, fr-CA), where the browser names one for the language. */
function locale(words: Words): string {
  return navigator.languages.find((tag) => tag.startsWith(words.tag)) ?? words.tag;
}

const made = new Map<string, Intl.DateTimeFormat>();

/** Making one takes longer than all that it writes on a screen. */
function format(at: number, words: Words, options: Intl.DateTimeFormatOptions): string {
  const tag = locale(words);
  const key = `${tag} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(tag, options);
  made.set(key, known);
  return known.format(at);
}

const dayMs = 86_400_000;

function startOfDay(at: number): number {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** Whole days from `at` to `now`, by the calendar: 0 today, 1 yesterday. */
export function daysAgo(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / dayMs);
}

/** `18:05` */
export function clock(at: number, words: Words): string {
  return format(at, words, { hour: '2-digit', minute: '2-digit' });
}

/** `21 November 2026` */
export function date(at: number, words: Words): string {
  return format(at, words, { dateStyle: 'long' });
}

/** For day lines: Today, Yesterday, Tuesday, 3 March, 3 March 2025. */
export function day(at: number, now: number, words: Words): string {
  const days = daysAgo(at, now);
  if (days === 0) return words.common.today;
  if (days === 1) return words.common.yesterday;
  if (days > 1 && days < 7) return format(at, words, { weekday: 'long' });
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = thisYear ? {} : ({ year: 'numeric' } as const);
  return format(at, words, { day: 'numeric', month: 'long', ...year });
}

/** For the room list, as short as it can be: 18:05, Yesterday, Tue, 3 Mar. */
export function short(at: number, now: number, words: Words): string {
  const days = daysAgo(at, now);
  if (days <= 0) return clock(at, words);
  if (days === 1) return words.common.yesterday;
  if (days < 7) return format(at, words, { weekday: 'short' });
  return format(at, words, { day: 'numeric', month: 'short' });
}
