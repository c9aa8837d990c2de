// What keys mean on a message that has the focus: walk on, answer, react, all that can be done.

export type Meaning =
  | { readonly kind: 'focus'; readonly id: string }
  | { readonly kind: 'reply' }
  | { readonly kind: 'thread' }
  | { readonly kind: 'menu'; readonly first: 'emoji' | 'actions' };

type Press = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** Null: the press is not for us. */
export function meaningOf(
  { key, ctrlKey, metaKey, altKey }: Press,
  rows: readonly { readonly id: string }[],
  here: { readonly id: string } | undefined,
): Meaning | null {
  if (ctrlKey || metaKey || altKey) return null;
  const at = rows.findIndex(({ id }) => id === here?.id);
  const steps: Record<string, number> = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    Home: 0,
    End: rows.length - 1,
  };
  const step = steps[key];
  if (step !== undefined) {
    const next = rows[Math.max(0, Math.min(step, rows.length - 1))];
    return next === undefined ? null : { kind: 'focus', id: next.id };
  }
  switch (key) {
    case 'r':
    case 'R':
      return { kind: 'reply' };
    case 't':
    case 'T':
      return { kind: 'thread' };
    case 'e':
    case 'E':
      return { kind: 'menu', first: 'emoji' };
    case 'Enter':
    case 'ContextMenu':
      return { kind: 'menu', first: 'actions' };
    default:
      return null;
  }
}
