// A person's presence in words.
import type { Profile } from '../../state/people_model';
import { clock, daysAgo, short } from '../time';
import type { Words } from '../words/catalogue.svelte';

/** "here now", "away", "last here 18:05"; empty while unknown. */
export function presenceWords(
  { presence, lastSeen }: Pick<Profile, 'presence' | 'lastSeen'>,
  now: number,
  words: Words,
): string {
  const t = words.folk;
  if (presence !== null && presence !== 'offline') return t[presence];
  if (lastSeen === null) return presence === null ? '' : t.offline;
  const days = daysAgo(lastSeen, now);
  const when =
    days === 1
      ? `${short(lastSeen, now, words)} ${clock(lastSeen, words)}`
      : short(lastSeen, now, words);
  return t.lastSeen(when);
}
