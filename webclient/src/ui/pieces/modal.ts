// Opens a dialog element over the page, and gives the focus back when it goes.

/** For `{@attach}`. */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    if (dialog.open) dialog.close();
    if (before instanceof HTMLElement) before.focus();
  };
}
