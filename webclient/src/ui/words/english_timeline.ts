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
  },
};
