// Files for the gallery: pictures drawn on the spot, a voice message, a file, and trays.
import type {
  AttachmentItem,
  FilesApp,
  FilesState,
  OpenedFile,
  Which,
} from '../../state/files_model';
import type { TimelineItem } from '../../state/model';
import { anna, jonas, mila, oma } from './people';
import { message } from './timeline';

/** Peaks that look like somebody speaking. */
const peaks = Array.from({ length: 48 }, (_, n) =>
  Math.round(255 * Math.abs(Math.sin(n / 3) * Math.sin(n / 11 + 1))),
);

let made = 0;

export function attached(more: Partial<AttachmentItem>): AttachmentItem {
  made += 1;
  return {
    id: `f-${made}`,
    kind: 'image',
    name: 'garden.jpg',
    mime: 'image/jpeg',
    size: 812_000,
    width: 1_600,
    height: 1_200,
    thumbnail: null,
    durationMs: null,
    peaks: null,
    ...more,
  };
}

async function drawn(hue: number, width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context !== null) {
    const sky = context.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, `oklch(0.8 0.09 ${hue})`);
    sky.addColorStop(1, `oklch(0.45 0.1 ${hue + 70})`);
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = `oklch(0.92 0.1 90)`;
    context.beginPath();
    context.arc(width * 0.7, height * 0.3, height * 0.1, 0, 7);
    context.fill();
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

const problem = { code: 'file_damaged', message: '', hint: '' };

/** Opens pictures of its own; ids that begin with `broken` are damaged. */
export class FakeFiles implements FilesApp {
  state: FilesState;

  constructor(state: Partial<FilesState> = {}) {
    this.state = { trays: {}, progress: {}, ...state };
  }

  subscribe(run: (state: FilesState) => void): () => void {
    run(this.state);
    return () => undefined;
  }

  choose = (): Promise<void> => Promise.resolve();
  keepOriginal = (): void => undefined;
  drop = (): void => undefined;
  sendVoice = (): Promise<void> => Promise.resolve();
  cancel = (): Promise<void> => Promise.resolve();

  async open({ attachment }: Which): Promise<OpenedFile> {
    if (attachment.startsWith('broken')) throw problem;
    const hue = (Number(attachment.replace(/\D/g, '')) * 47) % 360;
    return { blob: await drawn(hue, 1_200, 900), shown: 'image' };
  }
}

/** A room with files of every kind. */
export function withFiles(now: number): TimelineItem[] {
  const pdf = { kind: 'file', mime: 'application/pdf', width: null, height: null } as const;
  const first = message(now, 30, mila, 'The garden this morning', { attachments: [attached({})] });
  return [
    first,
    message(now, 26, jonas, '', {
      attachments: [1, 2, 3].map((n) => attached({ name: `${n}.jpg` })),
    }),
    message(now, 22, oma, '', {
      attachments: [
        attached({ ...pdf, name: 'Recipe for plum cake.pdf', size: 84_211 }),
        attached({ id: 'broken-1', width: 800, height: 800 }),
      ],
    }),
    message(now, 18, anna, '', {
      attachments: [
        attached({
          kind: 'voice',
          name: 'voice',
          mime: 'audio/webm',
          width: null,
          height: null,
          durationMs: 23_400,
          peaks,
        }),
      ],
      reach: { kind: 'read', readBy: [mila, jonas, oma], deliveredTo: [mila, jonas, oma] },
    }),
    message(now, 12, jonas, 'Lovely', {
      parentId: first.id,
      quote: {
        kind: 'message',
        id: first.id,
        sender: mila,
        text: '',
        files: 'image',
        deleted: false,
      },
    }),
    message(now, 6, mila, 'and a film', {
      attachments: [
        attached({ kind: 'video', name: 'hose.mp4', mime: 'video/mp4', size: 6_400_000 }),
      ],
    }),
    message(now, 1, anna, 'On its way', {
      position: null,
      delivery: { kind: 'queued' },
      attachments: [attached({ id: 'up-7', width: 900, height: 1_200 })],
    }),
  ];
}

/** What is chosen and not sent. */
export const chosen = new FakeFiles({
  progress: { 'up-7': 0.42 },
  trays: {
    'r-general': [
      {
        id: 's-1',
        name: 'IMG_2041.jpg',
        size: 1_204_000,
        kind: 'image',
        thumbnail: null,
        state: 'ready',
        picture: 'redrawn',
        canChoose: true,
      },
      {
        id: 's-2',
        name: 'Holidays, all of it.zip',
        size: 19_204_000,
        kind: 'file',
        thumbnail: null,
        state: { code: 'file_too_large', message: '', hint: '' },
        picture: null,
        canChoose: false,
      },
      {
        id: 's-3',
        name: 'plan.pdf',
        size: 90_000,
        kind: 'file',
        thumbnail: null,
        state: 'preparing',
        picture: null,
        canChoose: false,
      },
    ],
  },
});
