// Sizes and lengths of files in words.
import type { Words } from '../words/catalogue.svelte';

/** Bytes as people say them. */
export function sizeWords(bytes: number, words: Words, language: string): string {
  const [amount, unit] =
    bytes < 1_000
      ? ([bytes, 'B'] as const)
      : bytes < 999_500
        ? ([bytes / 1_000, 'KB'] as const)
        : ([bytes / 1_000_000, 'MB'] as const);
  const digits = unit === 'MB' && amount < 10 ? 1 : 0;
  const shown = amount.toLocaleString(language, { maximumFractionDigits: digits });
  return words.files.size(shown, unit);
}

/** A length as 1:05. */
export function lengthWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
