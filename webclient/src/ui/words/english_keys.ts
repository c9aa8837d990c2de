// Changed keys and who can read a room, in English.

/** The sentences about keys; other languages have the same ones. */
export const englishKeys = {
  trust: {
    changedTitle: (name: string) => `The keys of ${name} have changed`,
    changedHelp:
      'A lost phone or a forgotten password is often why. If it may not be them, ask in person first. You can read on; nothing is sent before you say yes.',
    offeredHelp:
      'They cannot read what is written until someone accepts the new keys. Ask in person whether they began anew.',
    letInBy: (name: string, when: string) => `Let in by ${name}, ${when}`,
    madeOn: (when: string) => `New keys made ${when}`,
    accept: (name: string) => `It is ${name}`,
    state: {
      self: 'you',
      unverified: 'not checked yet',
      vouched: 'known by someone at home',
      verified: 'checked in person',
      changed: 'keys changed',
    },
    keyMade: (n: number, when: string) => `Key number ${n}, since ${when}.`,
    keyMadeBy: (n: number, name: string, when: string) =>
      `Key number ${n}, made by ${name}, ${when}.`,
    hints: 'Tell the box whom a message names',
    hintsHelp:
      'Then it can notify them, and learns who is named by whom. What is written stays sealed.',
    goneLead: 'With the key, though the box does not name them as members:',
    goneHelp:
      'Who left or was removed reads on until the next key is made. If it stays like this, the box is not telling you everything.',
    devicesLead: 'Devices that write here, and read nothing:',
  },
};
