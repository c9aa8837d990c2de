// What is known of one position of a room, opened and verified where it was sealed.
import type { Body, Line, Post } from '../protocol/event';
import type { Id } from '../protocol/ids';
import type { Numbered } from '../sealing/order';

interface Placed {
  readonly position: number;
  /** The box's clock, ms since 1970. */
  readonly at: number;
}

export type Fact =
  | (Placed & {
      readonly kind: 'event';
      readonly id: Id;
      readonly sender: Id;
      /** Null in open rooms. */
      readonly number: Numbered | null;
      /** 0 in open rooms. */
      readonly epoch: number;
      readonly body: Body;
      readonly changedCard: boolean;
    })
  | (Placed & {
      readonly kind: 'post';
      readonly id: Id;
      readonly device: Id;
      readonly post: Post;
      readonly sealedBy: 'device' | 'box';
      readonly oldKey: boolean;
    })
  | (Placed & { readonly kind: 'line'; readonly line: Line })
  /** Does not read on the box's disk, up to `to`; nobody knows when it came. */
  | (Placed & { readonly kind: 'damaged'; readonly to: number })
  | (Placed & {
      readonly kind: 'stub';
      readonly id: Id | null;
      readonly reason: 'waiting_for_key' | 'other_key' | 'unknown' | 'erased';
      readonly sender: Id | null;
      readonly number: Numbered | null;
      /** Who erased it, where that is known. */
      readonly by: Id | null;
    });
