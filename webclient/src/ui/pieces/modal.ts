// Opens a dialog element over the page, the focus where it says or on its first button, and gives the
// focus back when it goes.

/** For `{@attach}`. What has the attribute `data-first` gets the focus. */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  dialog.querySelector<HTMLElement>('[data-first]')?.focus();
  return () => {
    if (dialog.open) dialog.close();
    if (before instanceof HTMLElement) before.focus();
  };
}
