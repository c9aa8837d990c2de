// A long press with a finger, as an attachment; a mouse has a menu of its own.

const holdMs = 450;
/** A finger that moves farther scrolls. */
const movePx = 10;

/** Calls `run` when a finger rests on the element; the tap that ends it does nothing else. */
export function longPress(run: () => void): (element: HTMLElement) => () => void {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from = { x: 0, y: 0 };
    let pressed = false;

    const stop = (): void => clearTimeout(timer);
    const down = (event: PointerEvent): void => {
      pressed = false;
      stop();
      if (event.pointerType === 'mouse' || !event.isPrimary) return;
      from = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => {
        pressed = true;
        run();
      }, holdMs);
    };
    const move = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > movePx) stop();
    };
    const click = (event: MouseEvent): void => {
      if (!pressed) return;
      pressed = false;
      event.preventDefault();
      event.stopPropagation();
    };
    // Android's own menu would come on top.
    const menu = (event: Event): void => {
      if (event instanceof PointerEvent && event.pointerType !== 'mouse') event.preventDefault();
    };

    const ends = ['pointerup', 'pointercancel', 'pointerleave'] as const;
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('click', click, true);
    element.addEventListener('contextmenu', menu);
    for (const end of ends) element.addEventListener(end, stop);
    return () => {
      stop();
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('click', click, true);
      element.removeEventListener('contextmenu', menu);
      for (const end of ends) element.removeEventListener(end, stop);
    };
  };
}
