// How large a picture is shown and which part of it: by wheel, keys, double tap and two fingers.
const [LEAST, MOST] = [1, 6];

interface Point {
  readonly x: number;
  readonly y: number;
}

/** What a finger's way meant once it was lifted. */
export type Swipe = 'previous' | 'next' | 'close' | null;

const SWIPE_PX = 60;

export class Zoom {
  scale = $state(1);
  x = $state(0);
  y = $state(0);
  readonly #fingers = new Map<number, Point>();
  #start: Point | null = null;
  #apart = 0;

  get style(): string {
    return `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }

  by(factor: number): void {
    this.scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    if (this.scale === LEAST) [this.x, this.y] = [0, 0];
  }

  toggle(): void {
    if (this.scale > LEAST) this.reset();
    else this.by(2.5);
  }

  reset(): void {
    [this.scale, this.x, this.y] = [LEAST, 0, 0];
  }

  down(event: PointerEvent): void {
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#start = this.#fingers.size === 1 ? { x: event.clientX, y: event.clientY } : null;
    this.#apart = this.#distance();
  }

  move(event: PointerEvent): void {
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) return;
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.#fingers.size === 2 && this.#apart > 0) {
      const apart = this.#distance();
      this.by(apart / this.#apart);
      this.#apart = apart;
    } else if (this.scale > LEAST) {
      this.x += event.clientX - before.x;
      this.y += event.clientY - before.y;
    }
  }

  up(event: PointerEvent): Swipe {
    this.#fingers.delete(event.pointerId);
    const start = this.#start;
    this.#start = null;
    if (start === null || this.scale > LEAST) return null;
    const [x, y] = [event.clientX - start.x, event.clientY - start.y];
    if (Math.abs(y) > Math.abs(x)) return y > SWIPE_PX ? 'close' : null;
    if (Math.abs(x) < SWIPE_PX) return null;
    return x > 0 ? 'previous' : 'next';
  }

  #distance(): number {
    const [one, other] = [...this.#fingers.values()];
    return one === undefined || other === undefined
      ? 0
      : Math.hypot(one.x - other.x, one.y - other.y);
  }
}
