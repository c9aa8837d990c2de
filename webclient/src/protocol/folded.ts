// Text as it is compared when looked for: without accents and case.

/** `Zoë`, `ZOE` and `zoe` are the same; œ is oe, ß is ss. */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('œ', 'oe')
    .replaceAll('ß', 'ss');
}

/** The words of a text, and single emoji, in their order. */
export const wordsOf = (text: string): readonly RegExpExecArray[] => [
  ...text.matchAll(/[\p{L}\p{N}_\p{M}]+|\p{Extended_Pictographic}/gu),
];
