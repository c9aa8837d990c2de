// What was written in the rooms and is read, searched and kept: one place for what works on histories.
import type { Id } from '../protocol/ids';
import type { Parts } from './deps';
import { Indexer } from './indexer';
import type { People } from './people';
import { ReadingState } from './reading';
import type { RoomHandle } from './room';
import { SearchState } from './search';
import { ThreadState } from './thread';

export interface LibraryDeps {
  readonly parts: Parts;
  readonly me: Id;
  readonly people: People;
  readonly rooms: () => readonly RoomHandle[];
  readonly current: () => RoomHandle | null;
  readonly online: () => boolean;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

export class Library {
  readonly reading: ReadingState;
  readonly indexer: Indexer;
  readonly search: SearchState;
  readonly thread: ThreadState;

  constructor({ parts, ...deps }: LibraryDeps) {
    const { clock, search, history, searchStore: store } = parts;
    this.reading = new ReadingState({ parts, ...deps });
    this.indexer = new Indexer({ clock, search, store, history, ...deps });
    const { indexer } = this;
    this.thread = new ThreadState({ parts, search, history, indexer, ...deps });
    this.search = new SearchState({ search, history, indexer, ...deps });
  }
}
