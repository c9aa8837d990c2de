// What a message looks like once it is read: a small tree, drawn by components, never as HTML.
import type { Person } from '../../state/model';
import type { RoomName } from './rooms';

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'em' | 'del'; readonly children: readonly Inline[] }
  | {
      readonly kind: 'link';
      /** http, https or mailto. */
      readonly href: string;
      /** Where it leads, shown beside a text that does not say it; null where the text is it. */
      readonly host: string | null;
      readonly children: readonly Inline[];
    }
  | { readonly kind: 'room'; readonly text: string; readonly room: RoomName }
  | { readonly kind: 'mention'; readonly text: string; readonly person: Person };

export type Block =
  | { readonly kind: 'paragraph' | 'heading'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string; readonly language: string }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | {
      readonly kind: 'list';
      /** The number of the first entry; null: no numbers. */
      readonly start: number | null;
      readonly items: readonly (readonly Block[])[];
    }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'rule' };
