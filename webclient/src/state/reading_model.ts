// What a person reads of a room: which stretch, what is pinned, what answers what; and going elsewhere.
import type { Person, TimelineItem } from './model';
import type { SearchApp } from './search_model';

/** Where to go in the open room. */
export type Spot =
  /** A message, a post or a line of the box by its id. */
  | { readonly kind: 'item'; readonly id: string }
  | { readonly kind: 'position'; readonly position: number }
  /** The first that came then or later; ms since 1970, by the box's clock. */
  | { readonly kind: 'time'; readonly at: number };

/** What is shown of the open room beside its timeline. */
export interface ReadingView {
  /** The timeline ends with the room's newest item. */
  readonly atNewest: boolean;
  readonly loadingNewer: boolean;
  /** Messages and posts that came below what the person has seen. */
  readonly below: number;
  /** Of the timeline's messages: how many answers are known, by id. */
  readonly answers: ReadonlyMap<string, number>;
  /** Messages that came after what was read when the room was opened; they may lie above the timeline. */
  readonly firstNew: number | null;
  /** The answers to one message; null: they are not shown. */
  readonly thread: ThreadView | null;
  /** The one that was pinned last first. */
  readonly pins: readonly PinView[];
}

export interface ThreadView {
  /** The id of the message that is answered. */
  readonly parent: string;
  readonly loading: boolean;
  /** The message, where it is there, and its answers. */
  readonly items: readonly TimelineItem[];
}

export interface PinView {
  readonly id: string;
  readonly position: number;
  /** Who pinned it. */
  readonly by: Person;
  /** Who said what; null: not read yet, or gone. */
  readonly name: string | null;
  readonly text: string | null;
}

/** Moving about in the open room. What goes wrong is told by `problem`. */
export interface Reading extends SearchApp {
  /** The page after what is shown; nothing at the newest. */
  newer(): Promise<void>;
  /** Shows the surroundings of a spot. Its position, null if there is nothing. */
  goTo(spot: Spot): Promise<number | null>;
  /** Shows the newest again. */
  toNewest(): Promise<void>;
  /** The person is at the end of what is shown, or has scrolled away from it. */
  follow(atEnd: boolean): void;
  /** Shows the answers to a message beside the timeline. */
  openThread(id: string): Promise<void>;
  closeThread(): void;
  /** Needs the box, and a role that may. */
  pin(id: string, on: boolean): Promise<void>;
  /** Tells those who keep order of a message; `show`: they can read it too, where it is sealed. Rejects with a Problem. */
  report(id: string, reason: string, show: boolean): Promise<void>;
  /** Who could read a message of this sealed room if a report showed it. Rejects with a Problem. */
  moderators(id: string): Promise<readonly Person[]>;
}
