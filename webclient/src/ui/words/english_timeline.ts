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
    thread: 'Answers',
    answers: (n: number) => (n === 0 ? 'No answers yet' : n === 1 ? '1 answer' : `${n} answers`),
    select: 'Select',
    selected: (n: number) => (n === 1 ? '1 message selected' : `${n} messages selected`),
    selection: 'Selected messages',
    endSelection: 'Select nothing',
    picked: 'selected',
    pin: 'Pin',
    unpin: 'Unpin',
    pinned: 'Pinned messages',
    pinAway: 'A pinned message',
    allPins: (n: number) => `All ${n}`,
    fewerPins: 'Only the last',
    report: 'Report',
    reportTitle: 'Report this message?',
    reportOpen: 'Those who keep order here see the message, your name and what you write.',
    reportSealed:
      'Those who keep order here see your name, what you write and which message it is. Unless you show it, the message stays sealed: whoever is in this room can read it here.',
    reportShow: 'Show them the message',
    reportShowHelp: (names: string) =>
      `${names} can read it then, with what it was edited to, and see whether its writer signed it. The box cannot.`,
    reportShowNobody: 'Nobody who keeps order here could read it.',
    reportReason: 'What is wrong with it?',
    reported: 'It was reported. Those who keep order were told.',
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
