// The pictures of a room's messages, in the order in which they are shown.
import type { AttachmentItem } from '../../state/files_model';
import type { TimelineItem } from '../../state/model';

export interface ShownPicture {
  readonly message: string;
  readonly sender: string;
  readonly at: number;
  readonly file: AttachmentItem;
}

export function picturesOf(timeline: readonly TimelineItem[]): ShownPicture[] {
  return timeline.flatMap((item) =>
    item.kind !== 'message'
      ? []
      : item.attachments
          .filter(({ kind }) => kind === 'image')
          .map((file) => ({
            message: item.id,
            sender: item.sender.displayName,
            at: item.at,
            file,
          })),
  );
}
