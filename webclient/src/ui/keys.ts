// Which key means what, wherever the focus is.

export type Command =
  | 'goTo'
  | 'search'
  | 'settings'
  | 'keys'
  | 'escape'
  | 'previous'
  | 'next'
  | 'previousUnread'
  | 'nextUnread';

/** What the key of commands is called on this machine. */
export const commandKey = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';

function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select');
}

/** The command of a key press; null when the press is not for us. */
export function commandOf(event: KeyboardEvent): Command | null {
  if (event.isComposing || event.defaultPrevented) return null;
  const control = (event.ctrlKey || event.metaKey) && !event.altKey;
  if (control && event.key.toLowerCase() === 'k') return 'goTo';
  if (control && event.key.toLowerCase() === 'f') return 'search';
  if (control && event.key === ',') return 'settings';
  if (event.altKey && !control && event.key === 'ArrowUp') {
    return event.shiftKey ? 'previousUnread' : 'previous';
  }
  if (event.altKey && !control && event.key === 'ArrowDown') {
    return event.shiftKey ? 'nextUnread' : 'next';
  }
  if (event.key === 'Escape') return 'escape';
  if (event.key === '?' && !writing(event.target)) return 'keys';
  return null;
}
