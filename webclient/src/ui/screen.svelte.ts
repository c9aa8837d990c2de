// What the screen is like: wide enough for a second pane, and how much the keyboard leaves free.
import { MediaQuery } from 'svelte/reactivity';

/** One pane at a time below this. */
export const phone = new MediaQuery('max-width: 699.98px', false);
/** The panel has a column of its own from here on, and the rooms are always there. */
export const desktop = new MediaQuery('min-width: 1024px', true);

/** Tells the styles how much of the window the on-screen keyboard leaves; for an effect. */
export function followKeyboard(root: HTMLElement): () => void {
  const visible = window.visualViewport;
  if (visible === null) return () => undefined;
  const measure = (): void => {
    // While pinched, the visible part says nothing about the keyboard.
    if (visible.scale > 1.01) return;
    root.style.setProperty('--visible-height', `${visible.height}px`);
    root.style.setProperty('--visible-top', `${visible.offsetTop}px`);
  };
  measure();
  visible.addEventListener('resize', measure);
  visible.addEventListener('scroll', measure);
  return () => {
    visible.removeEventListener('resize', measure);
    visible.removeEventListener('scroll', measure);
  };
}
