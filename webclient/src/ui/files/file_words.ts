// Sizes and lengths of files in words.
import { MB } from '../../protocol/attachment';
import type { Words } from '../words/catalogue.svelte';

const KB = 1_024;

/** Bytes as people say them; limits and what they are compared with count alike. */
export function sizeWords(bytes: number, words: Words, language: string): string {
  const [amount, unit] =
    bytes < KB
      ? ([bytes, 'B'] as const)
      : bytes < MB - KB / 2
        ? ([bytes / KB, 'KB'] as const)
        : ([bytes / MB, 'MB'] as const);
  const digits = unit === 'MB' && amount < 10 ? 1 : 0;
  const shown = amount.toLocaleString(language, { maximumFractionDigits: digits });
  return words.files.size(shown, unit);
}

/** A length as 1:05. */
export function lengthWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
