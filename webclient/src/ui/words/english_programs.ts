// What the screens of whoever runs the house say in English of its programs.

/** The sentences about bots and other MQTT topics; other languages have the same keys. */
export const englishPrograms = {
  bots: {
    lead: 'A bot is an account of a program: it has no password, and comes in by app tokens. What it writes never looks like a person’s.',
    all: 'All bots',
    none: 'No bots yet.',
    make: 'Make a bot',
    name: 'Name',
    nameRule: '3 to 20 letters, digits or _',
    displayName: 'What the others see (may be empty)',
    displayNamePlaceholder: 'Weather',
    everywhere: 'All its rooms',
    tokens: 'App tokens',
    noTokens: 'It has no token: no program comes in as this bot.',
    room: 'Let it into a room',
    roomHelp: 'Open rooms only: in a sealed one it would have no key.',
    roomNone: 'You keep order in no open room. Make one, or ask who does.',
    roomYes: 'Let it in',
    roomDone: (bot: string, room: string) => `${bot} is in ${room}.`,
  },
  grants: {
    lead: 'Rooms need nothing here. This lets programs of somebody, or a device, use MQTT topics beside them, such as those of Home Assistant.',
    none: 'Nobody has other topics.',
    add: 'Give topics',
    filter: 'Which topics?',
    filterRule: 'As homeassistant/# or zigbee2mqtt/+/set: a name first, and not hearth',
    whom: 'To whom?',
    device: (name: string, room: string) => `${name} (device in ${room})`,
    gone: 'A device of a room that you are not in',
    may: 'What may they do with them?',
    read: 'Read',
    write: 'Write',
    both: 'Both',
    take: (filter: string) => `Take back ${filter}`,
    takeQuestion: (filter: string, who: string) =>
      `Take ${filter} from ${who}? It ends at once, also for programs that are connected.`,
    takeYes: 'Take back',
  },
};
