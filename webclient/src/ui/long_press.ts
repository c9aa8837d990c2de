// A long press with a finger, as an attachment; a mouse has a menu of its own.

const holdMs = 450;
/** A finger that moves farther scrolls. */
const movePx = 10;

/** The tap that ends this press does nothing, wherever it lands: what opened may lie under it. */
function swallowTap(): void {
  const click = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (): void => {
    removeEventListener('click', click, true);
    removeEventListener('pointerdown', over, true);
  };
  addEventListener('click', click, true);
  addEventListener('pointerdown', over, true);
}

/** Calls `run` when a finger rests on the element. */
export function longPress(run: () => void): (element: HTMLElement) => () => void {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from = { x: 0, y: 0 };

    const stop = (): void => clearTimeout(timer);
    const down = (event: PointerEvent): void => {
      stop();
      if (event.pointerType === 'mouse' || !event.isPrimary) return;
      from = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => {
        swallowTap();
        run();
      }, holdMs);
    };
    const move = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > movePx) stop();
    };
    // Android's own menu would come on top.
    const menu = (event: Event): void => {
      if (event instanceof PointerEvent && event.pointerType !== 'mouse') event.preventDefault();
    };

    const ends = ['pointerup', 'pointercancel', 'pointerleave'] as const;
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('contextmenu', menu);
    for (const end of ends) element.addEventListener(end, stop);
    return () => {
      stop();
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('contextmenu', menu);
      for (const end of ends) element.removeEventListener(end, stop);
    };
  };
}
