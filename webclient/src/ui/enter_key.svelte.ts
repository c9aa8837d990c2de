// Whether Enter sends or begins a new line: remembered in this browser.

const stored = 'hearth.enter';

const current = $state({ sends: localStorage.getItem(stored) !== 'breaks' });

/** Whether Enter alone sends. */
export function enterSends(): boolean {
  return current.sends;
}

/** Changes it and remembers it in this browser. */
export function setEnterSends(sends: boolean): void {
  current.sends = sends;
  localStorage.setItem(stored, sends ? 'sends' : 'breaks');
}

/** Whether this press of a key sends what is written. */
export function isSending(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey) return false;
  return current.sends || event.ctrlKey || event.metaKey;
}
