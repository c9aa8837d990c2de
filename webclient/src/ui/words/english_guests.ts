// What is said to guests, and to those who invite them, in English.

/** The sentences about guests; other languages have the same keys. */
export const englishGuests = {
  title: (house: string) => `Visit ${house}`,
  until: (date: string) => `You can stay as a guest until ${date}, without a password.`,
  joinUntil: (date: string) => `You come as a guest: your account ends on ${date}.`,
  label: 'How shall the others call you?',
  done: 'Come in as a guest',
  only: 'You are signed in in this browser only. When you sign out, or your stay ends, it is over.',
  stay: (date: string) => `Guest until ${date}`,
  leaving:
    'You are a guest without a password: once signed out, you need a new invitation to come back.',
  forWhom: 'For whom?',
  lives: 'Someone of the house',
  livesHelp: 'Stays for good, and is in the general room too.',
  visits: 'A guest',
  visitsHelp: 'Sees this room only, and leaves by themselves when the time is over.',
  days: 'How long may they stay?',
  forDays: (days: number): string => (days === 1 ? 'Day' : days === 7 ? 'Week' : 'Month'),
  leadGuest: (room: string, date: string) =>
    `Whoever opens the link sees ${room} and nothing else, until ${date}.`,
};

/** The known problems of guests. */
export const englishGuestProblems: Readonly<Record<string, readonly [string, string]>> = {
  visit_over: ['Your stay as a guest has ended.', 'Ask for a new invitation to come back.'],
  account_required: [
    'This invitation needs an account: the room is sealed.',
    'Ask for a new invitation.',
  ],
  no_guests: ['This house takes no guests.', 'Ask who runs it for an account.'],
};
