// Moving about in a room's messages, in English.

/** The sentences about reading; other languages have the same keys. */
export const englishTimeline = {
  reading: {
    loadNewer: 'Show newer messages',
    loadingNewer: 'Loading newer messages…',
    newAbove: (n: number) => (n === 1 ? 'One new message' : `${n} new messages`),
    damaged: (n: number) =>
      n === 1
        ? 'One message does not read on the box’s disk'
        : `${n} messages do not read on the box’s disk`,
    copyLink: 'Copy link',
  },
  search: {
    title: 'Search',
    placeholder: 'Words in messages',
    filters: 'Only those',
    everywhere: 'In all rooms',
    withLink: 'With a link',
    withFile: 'With a file',
    from: 'Written by',
    anybody: 'Anybody',
    after: 'From',
    before: 'Until',
    results: 'Found messages',
    count: (n: number, more: boolean) =>
      n === 0
        ? 'Nothing found.'
        : n === 1
          ? '1 message.'
          : `${more ? 'The newest ' : ''}${n} messages.`,
    covering: (day: string) =>
      `Messages since ${day} are searched; older ones are still being read.`,
    coveringNothing: 'The messages are still being read; look again in a moment.',
    more: 'Show more',
    goToDay: 'Go to a day',
    go: 'Go',
  },
};
