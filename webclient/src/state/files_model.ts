// What the screens see of files: those of messages, those chosen and not sent yet.
import type { Problem } from './model';

/** How an attachment is shown. `voice`: recorded here, with its waveform. */
export type AttachmentKind = 'image' | 'audio' | 'video' | 'voice' | 'file';

/** A file of a message, without anything that opens it. */
export interface AttachmentItem {
  readonly id: string;
  readonly kind: AttachmentKind;
  readonly name: string;
  /** As its sender says. */
  readonly mime: string;
  /** Bytes. */
  readonly size: number;
  /** Pixels; null: unknown. */
  readonly width: number | null;
  readonly height: number | null;
  /** A `data:` address of a small picture. */
  readonly thumbnail: string | null;
  readonly durationMs: number | null;
  /** 0 to 255; voice messages only. */
  readonly peaks: readonly number[] | null;
}

/** A file that was chosen and is not sent. */
export interface StagedFile {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly kind: AttachmentKind;
  readonly thumbnail: string | null;
  readonly state: 'preparing' | 'ready' | Problem;
  /** `redrawn`: nothing of what the camera wrote is in it; `as_is`: all of it may be. */
  readonly picture: 'redrawn' | 'as_is' | null;
  /** Whether the person can choose between the two. */
  readonly canChoose: boolean;
}

/** A room's tray, or that of a thread in it. */
export const trayOf = (room: string, thread: string | undefined): string =>
  thread === undefined ? room : `${room}/${thread}`;

export interface FilesState {
  /** By tray (`trayOf`), in the order of choosing. */
  readonly trays: Readonly<Record<string, readonly StagedFile[]>>;
  /** By attachment: how much of it is on the box, 0 to 1. */
  readonly progress: Readonly<Record<string, number>>;
}

/** A voice message as it was recorded. */
export interface Recording {
  readonly file: Blob;
  readonly durationMs: number;
  readonly peaks: readonly number[];
}

/** Which file of which message of the open room. */
export interface Which {
  readonly message: string;
  readonly attachment: string;
}

/** `blob` has a type by its bytes; `shown`: as what it may be drawn or played. */
export interface OpenedFile {
  readonly blob: Blob;
  readonly shown: 'image' | 'audio' | 'video' | 'file';
}

/** The part of the application that is about files. `subscribe` is Svelte's store contract. */
export interface FilesApp {
  subscribe(run: (state: FilesState) => void): () => void;
  /** Puts files into a tray; sent with the next message there. Rejects what is too many. */
  choose(tray: string, files: readonly File[]): Promise<void>;
  /** A picture as the camera made it, or drawn anew. */
  keepOriginal(tray: string, id: string, on: boolean): void;
  /** Out of the tray. */
  drop(tray: string, id: string): void;
  /** Into the open room, as a message of its own. */
  sendVoice(recording: Recording, parentId?: string): Promise<void>;
  /** Takes a message back whose files are on their way. */
  cancel(message: string): Promise<void>;
  /** Rejects with a Problem: damaged, gone, no network. */
  open(which: Which, size: 'small' | 'whole'): Promise<OpenedFile>;
}
