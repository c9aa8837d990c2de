// Light, dark, or like the device: remembered in this browser, set on the root element.

export type Theme = 'system' | 'light' | 'dark';

const stored = 'hearth.theme';

function first(): Theme {
  const chosen = localStorage.getItem(stored);
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

const current = $state<{ theme: Theme }>({ theme: first() });

/** The theme of the moment. */
export function theme(): Theme {
  return current.theme;
}

/** Changes the theme and remembers it in this browser. */
export function setTheme(next: Theme): void {
  current.theme = next;
  localStorage.setItem(stored, next);
}

/** Puts the theme of the moment onto the page; call it inside an effect. */
export function applyTheme(root: HTMLElement): void {
  if (current.theme === 'system') root.removeAttribute('data-theme');
  else root.dataset['theme'] = current.theme;
}
