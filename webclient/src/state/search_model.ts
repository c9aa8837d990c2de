// Searching the messages that this browser has opened: what is asked for and what is found.
import type { Person } from './model';

export interface Sought {
  /** Words, each by its beginning; all of them must be there. */
  readonly text: string;
  /** A room's id; null: all rooms. */
  readonly room: string | null;
  /** A person's id; null: anybody and any device. */
  readonly sender: string | null;
  /** Days between which, ms since 1970, inclusive; null: no bound. */
  readonly from: number | null;
  readonly to: number | null;
  readonly link: boolean;
  readonly file: boolean;
}

/** A message or post as it is shown among hits. */
export interface Snippet {
  readonly id: string;
  readonly position: number;
  readonly at: number;
  /** Null: a device. */
  readonly sender: Person | null;
  /** Of the person or the device. */
  readonly name: string;
  readonly text: string;
}

export interface Found {
  readonly room: { readonly id: string; readonly name: string };
  readonly hit: Snippet;
  readonly before: Snippet | null;
  readonly after: Snippet | null;
  /** Words of the hit that match, folded: without accents and case. */
  readonly terms: readonly string[];
}

/** What the index knows. */
export interface Coverage {
  /** When the oldest indexed message came, ms since 1970; null: nothing is indexed yet. */
  readonly since: number | null;
  /** Everything from the first message on. */
  readonly complete: boolean;
}

export interface Results {
  /** The newest first. */
  readonly found: readonly Found[];
  /** There are more than are shown. */
  readonly more: boolean;
  readonly coverage: Coverage;
}

export interface SearchApp {
  /** `limit`: hits at most. Rejects with a Problem. */
  find(sought: Sought, limit: number): Promise<Results>;
}
