// Where the links in a text are, so that they can be shown as links and the rest as text.

export type Run =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

const address = /\bhttps?:\/\/[^\s<>"'`]+/gi;

/** Punctuation at the end belongs to the sentence; a closing bracket only if none opened it. */
function trimmed(found: string): string {
  let end = found.length;
  while (end > 0) {
    const last = found[end - 1] ?? '';
    const unopened = last === ')' && !found.slice(0, end).includes('(');
    if (!unopened && !'.,;:!?…»”’'.includes(last)) break;
    end -= 1;
  }
  return found.slice(0, end);
}

/** Splits a text into plain runs and http(s) links; the shown text is the address itself. */
export function runs(text: string): Run[] {
  const found: Run[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    const shown = trimmed(match[0]);
    if (!URL.canParse(shown)) continue;
    if (match.index > from) found.push({ kind: 'text', text: text.slice(from, match.index) });
    found.push({ kind: 'link', text: shown, href: shown });
    from = match.index + shown.length;
  }
  if (from < text.length) found.push({ kind: 'text', text: text.slice(from) });
  return found;
}
