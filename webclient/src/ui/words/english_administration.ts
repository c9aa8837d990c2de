// What the screens of whoever runs the house say in English; loaded with them.
import { englishPrograms } from './english_programs';

const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** What a line of the log is made of: names, or words for what has none here. */
export interface LogWords {
  /** Who did it. */
  readonly who: string;
  /** To whom or what. */
  readonly what: string;
  /** In which room; null: not told. */
  readonly room: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Somebody beside the subject; null: not told. */
  readonly whom: string | null;
}

/** What somebody was made. */
const roles: Readonly<Record<string, string>> = {
  owner: 'an owner',
  admin: 'an admin',
  member: 'a member',
  guest: 'a guest',
};

const role = (name: string | null): string => roles[name ?? ''] ?? '?';

const within = (room: string | null): string => (room === null ? '' : ` in ${room}`);

/** The sentences of administration; other languages have the same keys. */
export const englishAdministration = {
  title: 'The house',
  order: 'Keeping order',
  sections: {
    people: 'People',
    guests: 'Guests',
    bots: 'Bots',
    invites: 'Invitations',
    reports: 'Reports',
    house: 'House rules',
    storage: 'Storage',
    addresses: 'Addresses',
    grants: 'MQTT topics',
    health: 'How the box is',
    log: 'Log',
  },
  ...englishPrograms,
  accounts: {
    search: 'Search for a name',
    none: 'Nobody of that name.',
    noGuests: 'No guests. A guest comes in by an invitation that ends.',
    inviteGuest: 'Invite a guest',
    all: 'All people',
    allGuests: 'All guests',
    manage: 'Manage',
    you: 'This is you. Your own account is in the settings above.',
    notYours: 'Accounts of owners and admins are for an owner of the house.',
    roles: {
      owner: 'Owner',
      admin: 'Admin',
      member: 'Lives here',
      guest: 'Guest',
      device: 'Device',
      bot: 'Bot',
    },
    roleHelp: {
      owner: 'Everything, also who is an owner or admin.',
      admin: 'Runs the house with the owner.',
      member: 'Finds everybody and every public room.',
      guest: 'Sees only the rooms they were invited to.',
    },
    role: 'In the house',
    roleQuestion: (name: string, role: string) => `Make ${name} “${role}”?`,
    ownerQuestion: (name: string) =>
      `Make ${name} an owner? They may do all that you may, also take it from you.`,
    guestQuestion: (name: string) =>
      `Make ${name} a guest? They leave the general room and see only the rooms they are in.`,
    roleYes: 'Change it',
    blocked: 'blocked',
    since: (date: string) => `here since ${date}`,
    seen: (when: string) => `last here ${when}`,
    neverSeen: 'was never here',
    until: (date: string) => `until ${date}`,
    noEnd: 'no end',
    stay: 'How long from now?',
    stayLead: (date: string) => `The stay ends on ${date}.`,
    stayNoEnd: 'The stay has no end.',
    stayOver: (date: string) => `The stay ended on ${date}.`,
    days: (n: number) => (n === 365 ? '1 year' : n === 30 ? '1 month' : count(n, 'day', 'days')),
    stayYes: 'Let them stay',
    reset: 'Make a link for a new password',
    resetLead: (name: string) => `The link for ${name}`,
    resetHelp: (until: string) =>
      `Good once, until ${until}. It is shown only now. It sets the password; the keys still need the recovery sheet or another browser of theirs.`,
    resetQr: 'Link for a new password as a QR code',
    signOut: 'Sign out everywhere',
    signOutQuestion: (name: string) =>
      `Sign ${name} out of every browser? They can sign in again with their password.`,
    signOutTokens: 'End their programs’ tokens too',
    signedOut: (name: string) => `${name} is signed out everywhere.`,
    block: 'Keep out',
    blockQuestion: (name: string) =>
      `Keep ${name} out? They are signed out everywhere and cannot come back until you let them in.`,
    unblock: 'Let in again',
    end: 'End the account',
    endQuestion: (name: string) =>
      `End the account of ${name} for good? They leave every room. What they wrote stays, and so does the name.`,
    endYes: 'End it for good',
    ended: (name: string) => `The account of ${name} is ended.`,
    done: 'Done',
  },
  invites: {
    lead: 'Whoever opens an invitation can make an account. Each leads into a room.',
    room: 'Into which room?',
    whom: 'For whom?',
    lives: 'Someone who lives here',
    livesHelp: 'Comes into the general room too.',
    guest: 'A guest',
    guestHelp: 'Sees this room only, and for a while.',
    stays: 'How long do they stay?',
    noGuestRoom: 'A guest comes into another room than the general one. Make a room first.',
    link: 'Its QR code and link',
    noLink: 'Only whoever made it has the link.',
    qr: 'Invitation as a QR code',
    into: (room: string) => `into ${room}`,
    gone: 'You may invite into no room. Ask someone who runs one.',
  },
  reports: {
    which: 'Which ones?',
    open: 'To decide',
    decided: 'Decided',
    none: 'Nothing to decide. Whoever finds that a message should not be there can report it from its menu.',
    noneDecided: 'Nothing was decided yet.',
    by: (who: string, when: string) => `${who} reported this · ${when}`,
    someone: 'Someone',
    device: 'a device, or it is gone',
    from: (who: string) => `Written by ${who}`,
    room: (name: string) => `in ${name}`,
    roomAway: 'in a room that you are not in',
    sealed: 'The room is sealed: the box cannot show the message.',
    goThere: 'Read it in the room',
    deleted: 'The message is deleted.',
    evidence: 'Show the message',
    evidenceHelp: 'The reporter opened it for those who keep order. The box cannot read it.',
    proof: {
      signed: (who: string) => `${who} wrote this: it is signed with their keys.`,
      other_keys: (who: string) =>
        `It is signed with keys that are not known to be ${who}’s. Ask them.`,
      claimed: 'Only the reporter says so: it carries no signature that holds.',
    },
    keysChecked: 'Their keys were checked in person.',
    firstText: 'As it was first written',
    withFiles: (n: number) => (n === 1 ? 'With a file' : `With ${n} files`),
    noText: 'Without words',
    decide: 'What is to be done?',
    rulings: {
      dismiss: 'Nothing: it may stay',
      uphold: 'It is right; nothing more is done',
      delete: 'Delete the message',
      mute: 'Mute its writer in the room',
      kick: 'Take its writer out of the room',
      ban: 'Ban its writer from the room',
    },
    term: 'For how long?',
    note: 'Why? It stands in the log; whoever is muted or put out reads it.',
    yes: 'Decide',
    upheld: (who: string, when: string) => `Found right by ${who}, ${when}`,
    dismissed: (who: string, when: string) => `Dismissed by ${who}, ${when}`,
    more: 'More',
  },
  house: {
    name: 'Name of the house',
    registration: 'Who can make an account?',
    invited: 'Whoever has an invitation',
    invitedHelp: 'The link is the way in.',
    anyone: 'Anyone who reaches the box',
    anyoneHelp: 'Without an invitation. For houses behind a closed door only.',
    keep: 'How long are messages kept?',
    forEver: 'For ever',
    days: (n: number) => (n === 365 ? '1 year' : count(n, 'day', 'days')),
    size: 'How much does a room keep at most?',
    all: 'Everything',
    mb: (n: number) => `${n} MB`,
    log: 'How long are the log and decided reports kept?',
    asStarted: 'As the box was started',
    roomHelp: 'A room can say otherwise in its own settings.',
    save: 'Save',
    saved: 'Saved',
  },
  storage: {
    used: (bytes: string, max: string) => `${bytes} of ${max}`,
    files: (n: number) => count(n, 'file', 'files'),
    title: 'Files of the house',
    people: 'Who has how much',
    none: 'Nobody has put a file here.',
    quotas: 'How much is allowed',
    house: 'All together, in MB',
    person: 'Each person, in MB',
    empty: (max: string) => `Empty: as the box was started. Now ${max}.`,
    wrong: 'A whole number of MB, or nothing.',
  },
  addresses: {
    lead: 'From which addresses the house answers. The box itself is always let in.',
    yours: (address: string) => `You come from ${address}.`,
    allow: 'Only these',
    allowHelp: 'One address or network a line, like 192.168.1.0/24. Empty: all.',
    deny: 'Never these',
    denyHelp: 'They win over the list above.',
    save: 'Save',
    saved: 'Saved. Devices and apps connect anew.',
    force: 'This shuts you out yourself. You could only undo it at the box.',
    forceYes: 'Save it all the same',
    bad: ['One of the lines is no address and no network.', 'Write them like 192.168.1.0/24.'],
  },
  health: {
    again: 'Look again',
    version: (version: string) => `Hearth ${version} answers.`,
    clock: 'The box knows what time it is.',
    clockDoubted:
      'The box is not sure what time it is: nothing old is removed and no login ends until it is. `hearth doctor` at the box says more.',
    mqtt: (address: string) => `Devices reach it by MQTT at ${address}.`,
    noMqtt: 'MQTT in clear is switched off.',
    connections: (mqtt: number, web: number) =>
      `${count(mqtt, 'MQTT connection', 'MQTT connections')} and ${count(web, 'web connection', 'web connections')} now.`,
    turnedAway: (n: number) =>
      n === 0
        ? 'No connection was turned away.'
        : `${count(n, 'connection was', 'connections were')} turned away: too many at once.`,
    stored: (commits: string) => `${commits} changes are on the disk.`,
    storeGood: 'The disk has made no errors.',
    storeErrors: (n: number) =>
      `The disk has made ${count(n, 'error', 'errors')}. Make a backup now and look at the disk.`,
    waiting: (n: number) =>
      n === 0
        ? 'Nothing waits for the disk.'
        : `${count(n, 'change waits', 'changes wait')} for the disk.`,
    messages: (received: string, sent: string) =>
      `${received} messages came in by MQTT, ${sent} went out.`,
    refused: (n: number) =>
      n === 0 ? 'None was refused.' : `${count(n, 'was', 'were')} refused: no right, or no good.`,
    dropped: (n: number) =>
      n === 0
        ? 'None was dropped at a full queue.'
        : `${count(n, 'was', 'were')} dropped at full queues.`,
    answers: (good: string, bad: string) =>
      `${good} requests were answered; ${bad} went wrong in the box.`,
    since: 'Counted since the box was started.',
  },
  log: {
    lead: 'What those did who run the house or a room. What is said in rooms is not here.',
    none: 'Nothing yet.',
    older: 'Older entries',
    box: 'The box’s own shell',
    subjects: {
      house: 'the house',
      user: 'someone',
      room: 'a room',
      message: 'a message',
      device: 'a device',
    },
    /** What an action without a sentence is called. */
    other: ({ who, what }: LogWords, action: string) => `${who}: ${action}, ${what}`,
    actions: {
      'settings.change': ({ who }: LogWords) => `${who} changed the house rules`,
      'addresses.change': ({ who }: LogWords) => `${who} changed from where the house is reached`,
      'clock.trust': ({ who }: LogWords) => `${who} said that the clock is right`,
      'backup.make': ({ who }: LogWords) => `${who} made a backup`,
      'backup.key': ({ who }: LogWords) => `${who} said who opens the backups to come`,
      'user.add': ({ who, what }: LogWords) => `${who} made an account for ${what}`,
      'user.name': ({ who, from, to }: LogWords) =>
        `${who} is called ${to ?? '?'}, not ${from ?? '?'}`,
      'user.role': ({ who, what, to }: LogWords) => `${who} made ${what} ${role(to)} of the house`,
      'user.guest_until': ({ who, what }: LogWords) => `${who} changed how long ${what} stays`,
      'user.block': ({ who, what }: LogWords) => `${who} kept ${what} out of the house`,
      'user.unblock': ({ who, what }: LogWords) => `${who} let ${what} in again`,
      'user.end': ({ who, what }: LogWords) => `${who} ended the account of ${what}`,
      'user.reset': ({ who, what }: LogWords) => `${who} made ${what} a link for a new password`,
      'user.reset_used': ({ what }: LogWords) => `${what} set a new password by a link`,
      'user.sign_out': ({ who, what }: LogWords) => `${who} signed ${what} out`,
      'user.disconnect': ({ who, what }: LogWords) => `${who} ended the connections of ${what}`,
      'bot.make': ({ who, what }: LogWords) => `${who} made the bot ${what}`,
      'bot.token': ({ who, what }: LogWords) => `${who} gave the bot ${what} a token`,
      'bot.token_end': ({ who, what }: LogWords) => `${who} ended a token of the bot ${what}`,
      'grant.add': ({ who, what }: LogWords) => `${who} gave ${what} MQTT topics`,
      'grant.remove': ({ who, what }: LogWords) => `${who} took MQTT topics from ${what}`,
      'room.add': ({ who, what }: LogWords) => `${who} made the room ${what}`,
      'room.update': ({ who, what }: LogWords) => `${who} changed the settings of ${what}`,
      'room.delete': ({ who, what }: LogWords) => `${who} deleted ${what}`,
      'room.kick': ({ who, what, room }: LogWords) =>
        `${who} put ${what} out of ${room ?? 'a room'}`,
      'room.mute': ({ who, what, room }: LogWords) => `${who} muted ${what}${within(room)}`,
      'room.unmute': ({ who, what, room }: LogWords) =>
        `${who} let ${what} speak again${within(room)}`,
      'room.ban': ({ who, what, room }: LogWords) =>
        `${who} banned ${what} from ${room ?? 'a room'}`,
      'room.unban': ({ who, what, room }: LogWords) =>
        `${who} lifted the ban of ${what} from ${room ?? 'a room'}`,
      'member.add': ({ who, what, whom }: LogWords) =>
        `${who} let ${whom ?? 'someone'} into ${what}`,
      'member.role': ({ who, what, whom, to }: LogWords) =>
        `${who} made ${whom ?? 'someone'} ${role(to)} of ${what}`,
      'invite.create': ({ who, what }: LogWords) => `${who} made an invitation into ${what}`,
      'invite.revoke': ({ who, what }: LogWords) => `${who} took back an invitation into ${what}`,
      'device.change': ({ who, what, room, to }: LogWords) =>
        to === 'seal'
          ? `${who} let the box seal the posts of ${what}${within(room)}, and see them`
          : `${who} has ${what}${within(room)} seal its posts itself`,
      'device.add': ({ who, what, room }: LogWords) => `${who} added ${what}${within(room)}`,
      'device.remove': ({ who, what, room }: LogWords) => `${who} removed ${what}${within(room)}`,
      'message.erase': ({ who, room }: LogWords) =>
        `${who} deleted somebody’s message${within(room)}`,
      'message.pin': ({ who, room }: LogWords) => `${who} pinned a message${within(room)}`,
      'message.unpin': ({ who, room }: LogWords) => `${who} took a pin off${within(room)}`,
      'report.decide': ({ who, room }: LogWords) => `${who} decided a report${within(room)}`,
      'attachment.quarantine': ({ who }: LogWords) => `${who} locked a file away`,
      'attachment.release': ({ who }: LogWords) => `${who} let a file go again`,
    } as Readonly<Record<string, (words: LogWords) => string>>,
  },
  /** What the box can answer here, by code: what, and what now. */
  problems: {
    last_owner: ['The house needs an owner who can sign in.', 'Make somebody else owner first.'],
    not_yourself: ['Nobody does this to their own account.', 'Ask another owner.'],
    bad_expiry: ['A guest cannot stay that long.', 'Choose a shorter time.'],
    no_guests: ['This house takes no guests.', 'Whoever started the box decided so.'],
    no_password: ['A bot has no password.', ''],
    forbidden: ['You may not do this.', 'Ask an owner of the house.'],
    changed_meanwhile: [
      'Somebody else changed this at the same moment.',
      'What is there now is shown; change it again.',
    ],
    would_lock_you_out: ['This would shut you out yourself.', 'Leave your own address in.'],
    gone: ['This was decided already.', ''],
    bad_filter: ['These topics cannot be given.', 'Write something like homeassistant/#.'],
    bad_evidence: ['What was shown does not open here.', 'Ask whoever reported it.'],
    no_evidence: ['Nothing was shown.', 'Ask whoever reported it.'],
    not_a_person: ['The message is no person’s.', 'Remove the device in its room.'],
    general_is_everyones: ['Nobody leaves the general room.', 'Mute them there instead.'],
    direct_room: ['A conversation of two has nobody who keeps order.', ''],
    too_large: ['The lists are too long.', 'Put addresses together into networks.'],
    limit_reached: ['There are too many already.', 'End some you do not need.'],
  } as Readonly<Record<string, readonly [string, string]>>,
};
