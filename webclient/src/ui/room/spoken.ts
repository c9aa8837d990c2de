// An incoming item as one sentence for readers by ear.
import type { TimelineItem } from '../../state/model';
import { toned } from '../markdown/tone';
import type { Words } from '../words/catalogue.svelte';

/** Nothing for one's own messages and for lines of the box. */
export function spoken(item: TimelineItem, words: Words): { id: string; text: string }[] {
  if (item.kind === 'message' && !item.own && !item.deleted) {
    const { text, tones } = toned(item.text, item.tone);
    const meant =
      tones.length === 0 ? '' : ` (${tones.map((tone) => words.tones[tone]).join(', ')})`;
    const shown = item.attachments.map(({ kind }) => words.files.kinds[kind]);
    const said = [...shown, text].filter((part) => part !== '').join(', ');
    return [{ id: item.id, text: `${item.sender.displayName}: ${said}${meant}` }];
  }
  if (item.kind === 'post') {
    const text = [item.title, item.text].filter((part) => part !== null && part !== '').join('. ');
    return [{ id: item.id, text: `${words.room.postedBy(item.device.name)}: ${text}` }];
  }
  return [];
}
