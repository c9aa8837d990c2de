// Ce que disent en français les écrans de qui tient la maison ; chargé avec eux.
import type { englishAdministration, LogWords } from './english_administration';
import { frenchPrograms } from './french_programs';

const count = (n: number, one: string, many: string): string => `${n} ${n < 2 ? one : many}`;

const within = (room: string | null): string => (room === null ? '' : ` dans ${room}`);

const roles: Readonly<Record<string, string>> = {
  owner: 'propriétaire',
  admin: 'admin',
  member: 'habitant',
  guest: 'invité',
};

const role = (name: string | null): string => roles[name ?? ''] ?? '?';

export const frenchAdministration: typeof englishAdministration = {
  title: 'La maison',
  order: 'Veiller à l’ordre',
  sections: {
    people: 'Personnes',
    guests: 'Invités',
    bots: 'Bots',
    invites: 'Invitations',
    reports: 'Signalements',
    house: 'Règles de la maison',
    storage: 'Stockage',
    addresses: 'Adresses',
    grants: 'Sujets MQTT',
    health: 'Comment va le boîtier',
    log: 'Journal',
  },
  ...frenchPrograms,
  accounts: {
    search: 'Chercher un nom',
    none: 'Personne de ce nom.',
    noGuests: 'Pas d’invités. Un invité entre par une invitation qui a une fin.',
    inviteGuest: 'Inviter quelqu’un pour un temps',
    all: 'Toutes les personnes',
    allGuests: 'Tous les invités',
    manage: 'Gérer',
    you: 'C’est vous. Votre propre compte est dans les réglages ci-dessus.',
    notYours: 'Les comptes des propriétaires et des admins reviennent à un propriétaire.',
    roles: {
      owner: 'Propriétaire',
      admin: 'Admin',
      member: 'Habite ici',
      guest: 'Invité',
      device: 'Appareil',
      bot: 'Bot',
    },
    roleHelp: {
      owner: 'Tout, y compris qui est propriétaire ou admin.',
      admin: 'Tient la maison avec le propriétaire.',
      member: 'Trouve tout le monde et tous les salons publics.',
      guest: 'Ne voit que les salons où on l’a invité.',
    },
    role: 'Dans la maison',
    roleQuestion: (name, to) => `Faire de ${name} « ${to} » ?`,
    ownerQuestion: (name) =>
      `Faire de ${name} un propriétaire ? Il pourra tout ce que vous pouvez, y compris vous le retirer.`,
    guestQuestion: (name) =>
      `Faire de ${name} un invité ? Il quitte le salon général et ne voit que les salons où il est.`,
    roleYes: 'Changer',
    blocked: 'bloqué',
    since: (date) => `ici depuis le ${date}`,
    seen: (when) => `vu ${when}`,
    neverSeen: 'n’est jamais venu',
    until: (date) => `jusqu’au ${date}`,
    noEnd: 'sans fin',
    stay: 'Combien de temps à partir de maintenant ?',
    stayLead: (date) => `Le séjour finit le ${date}.`,
    stayNoEnd: 'Le séjour n’a pas de fin.',
    stayOver: (date) => `Le séjour a fini le ${date}.`,
    days: (n) => (n === 365 ? '1 an' : n === 30 ? '1 mois' : count(n, 'jour', 'jours')),
    stayYes: 'Prolonger le séjour',
    reset: 'Faire un lien pour un nouveau mot de passe',
    resetLead: (name) => `Le lien pour ${name}`,
    resetHelp: (until) =>
      `Valable une fois, jusqu’au ${until}. Il n’est montré que maintenant. Il change le mot de passe ; pour les clés il faut encore la fiche de secours ou un autre navigateur.`,
    resetQr: 'Lien pour un nouveau mot de passe en code QR',
    signOut: 'Déconnecter partout',
    signOutQuestion: (name) =>
      `Déconnecter ${name} de tous ses navigateurs ? Son mot de passe permet de revenir.`,
    signOutTokens: 'Mettre fin aussi aux jetons de ses programmes',
    signedOut: (name) => `${name} est déconnecté partout.`,
    block: 'Tenir dehors',
    blockQuestion: (name) =>
      `Tenir ${name} dehors ? Il est déconnecté partout et ne revient pas tant que vous ne le laissez pas entrer.`,
    unblock: 'Laisser revenir',
    end: 'Mettre fin au compte',
    endQuestion: (name) =>
      `Mettre fin pour toujours au compte de ${name} ? Il quitte tous les salons. Ce qu’il a écrit reste, et son nom aussi.`,
    endYes: 'Y mettre fin pour toujours',
    ended: (name) => `Le compte de ${name} a pris fin.`,
    done: 'Terminé',
  },
  invites: {
    lead: 'Qui ouvre une invitation peut se faire un compte. Chacune mène dans un salon.',
    room: 'Dans quel salon ?',
    whom: 'Pour qui ?',
    lives: 'Quelqu’un qui habite ici',
    livesHelp: 'Entre aussi dans le salon général.',
    guest: 'Un invité',
    guestHelp: 'Ne voit que ce salon, et pour un temps.',
    stays: 'Combien de temps reste-t-il ?',
    noGuestRoom: 'Un invité vient dans un autre salon que le général. Faites d’abord un salon.',
    link: 'Son code QR et son lien',
    noLink: 'Seul son auteur en a le lien.',
    qr: 'Invitation en code QR',
    into: (room) => `dans ${room}`,
    gone: 'Vous ne pouvez inviter dans aucun salon. Demandez à quelqu’un qui en tient un.',
  },
  reports: {
    which: 'Lesquels ?',
    open: 'À décider',
    decided: 'Décidés',
    none: 'Rien à décider. Qui trouve qu’un message n’a rien à faire là peut le signaler depuis son menu.',
    noneDecided: 'Rien n’a encore été décidé.',
    by: (who, when) => `${who} a signalé ceci · ${when}`,
    someone: 'Quelqu’un',
    device: 'un appareil, ou il n’est plus là',
    from: (who) => `Écrit par ${who}`,
    room: (name) => `dans ${name}`,
    roomAway: 'dans un salon où vous n’êtes pas',
    sealed: 'Le salon est scellé : le boîtier ne peut pas montrer le message.',
    goThere: 'Le lire dans le salon',
    deleted: 'Le message est supprimé.',
    evidence: 'Montrer le message',
    evidenceHelp:
      'Qui l’a signalé l’a ouvert pour celles et ceux qui veillent à l’ordre. Le boîtier ne peut pas le lire.',
    proof: {
      signed: (who) => `${who} l’a écrit : c’est signé de ses clés.`,
      other_keys: (who) =>
        `C’est signé de clés dont rien ne dit qu’elles sont à ${who}. Demandez-lui.`,
      claimed: 'Seul qui le signale l’affirme : aucune signature ne tient.',
    },
    keysChecked: 'Ses clés ont été vérifiées en personne.',
    firstText: 'Tel qu’écrit d’abord',
    withFiles: (n) => (n === 1 ? 'Avec un fichier' : `Avec ${n} fichiers`),
    noText: 'Sans paroles',
    decide: 'Que faire ?',
    rulings: {
      dismiss: 'Rien : il peut rester',
      uphold: 'C’est justifié ; rien de plus',
      delete: 'Supprimer le message',
      mute: 'Mettre son auteur en sourdine dans le salon',
      kick: 'Faire sortir son auteur du salon',
      ban: 'Bannir son auteur du salon',
    },
    term: 'Pour combien de temps ?',
    note: 'Pourquoi ? C’est écrit au journal, et lu par qui est mis en sourdine ou dehors.',
    yes: 'Décider',
    upheld: (who, when) => `Jugé juste par ${who}, ${when}`,
    dismissed: (who, when) => `Écarté par ${who}, ${when}`,
    more: 'Encore',
  },
  house: {
    name: 'Nom de la maison',
    registration: 'Qui peut se faire un compte ?',
    invited: 'Qui a une invitation',
    invitedHelp: 'Le lien est l’entrée.',
    anyone: 'Quiconque atteint le boîtier',
    anyoneHelp: 'Sans invitation. Seulement dans une maison à la porte fermée.',
    keep: 'Combien de temps garde-t-on les messages ?',
    forEver: 'Pour toujours',
    days: (n) => (n === 365 ? '1 an' : count(n, 'jour', 'jours')),
    size: 'Combien un salon garde-t-il au plus ?',
    all: 'Tout',
    mb: (n) => `${n} Mo`,
    log: 'Combien de temps garde-t-on le journal et les signalements décidés ?',
    asStarted: 'Comme le boîtier a été démarré',
    roomHelp: 'Un salon peut en décider autrement dans ses propres réglages.',
    save: 'Enregistrer',
    saved: 'Enregistré',
  },
  storage: {
    used: (bytes, max) => `${bytes} sur ${max}`,
    files: (n) => count(n, 'fichier', 'fichiers'),
    title: 'Fichiers de la maison',
    people: 'Qui en a combien',
    none: 'Personne n’a déposé de fichier.',
    quotas: 'Combien est permis',
    house: 'Tous ensemble, en Mo',
    person: 'Chaque personne, en Mo',
    empty: (max) => `Vide : comme le boîtier a été démarré. Pour l’instant ${max}.`,
    wrong: 'Un nombre entier de Mo, ou rien.',
  },
  addresses: {
    lead: 'Depuis quelles adresses la maison répond. Le boîtier lui-même entre toujours.',
    yours: (address) => `Vous venez de ${address}.`,
    allow: 'Seulement celles-ci',
    allowHelp: 'Une adresse ou un réseau par ligne, comme 192.168.1.0/24. Vide : toutes.',
    deny: 'Jamais celles-ci',
    denyHelp: 'Elles l’emportent sur la liste ci-dessus.',
    save: 'Enregistrer',
    saved: 'Enregistré. Appareils et applications se reconnectent.',
    force: 'Cela vous met dehors vous-même. Vous ne pourriez le défaire qu’au boîtier.',
    forceYes: 'Enregistrer quand même',
    bad: ['Une des lignes n’est ni une adresse ni un réseau.', 'Écrivez-les comme 192.168.1.0/24.'],
  },
  health: {
    again: 'Regarder encore',
    version: (version) => `Hearth ${version} répond.`,
    clock: 'Le boîtier sait quelle heure il est.',
    clockDoubted:
      'Le boîtier n’est pas sûr de l’heure : rien d’ancien n’est retiré et aucune connexion ne prend fin tant qu’il doute. `hearth doctor` au boîtier en dit plus.',
    mqtt: (address) => `Les appareils l’atteignent par MQTT à ${address}.`,
    noMqtt: 'MQTT en clair est éteint.',
    connections: (mqtt, web) =>
      `${count(mqtt, 'connexion MQTT', 'connexions MQTT')} et ${count(web, 'connexion web', 'connexions web')} en ce moment.`,
    turnedAway: (n) =>
      n === 0
        ? 'Aucune connexion n’a été refusée.'
        : `${count(n, 'connexion refusée', 'connexions refusées')} : trop à la fois.`,
    stored: (commits) => `${commits} changements sont sur le disque.`,
    storeGood: 'Le disque n’a fait aucune erreur.',
    storeErrors: (n) =>
      `Le disque a fait ${count(n, 'erreur', 'erreurs')}. Faites une sauvegarde maintenant et regardez le disque.`,
    waiting: (n) =>
      n === 0
        ? 'Rien n’attend le disque.'
        : `${count(n, 'changement attend', 'changements attendent')} le disque.`,
    messages: (received, sent) =>
      `${received} messages sont arrivés par MQTT, ${sent} sont repartis.`,
    refused: (n) =>
      n === 0
        ? 'Aucun n’a été refusé.'
        : `${count(n, 'refusé', 'refusés')} : sans droit, ou mauvais.`,
    dropped: (n) =>
      n === 0
        ? 'Aucun n’a été perdu dans une file pleine.'
        : `${count(n, 'perdu', 'perdus')} dans des files pleines.`,
    answers: (good, bad) =>
      `${good} requêtes ont eu leur réponse ; ${bad} ont échoué dans le boîtier.`,
    since: 'Compté depuis le démarrage du boîtier.',
  },
  log: {
    lead: 'Ce qu’ont fait celles et ceux qui tiennent la maison ou un salon. Ce qui se dit dans les salons n’est pas ici.',
    none: 'Rien encore.',
    older: 'Plus anciens',
    box: 'Le terminal du boîtier',
    subjects: {
      house: 'la maison',
      user: 'quelqu’un',
      room: 'un salon',
      message: 'un message',
      device: 'un appareil',
    },
    other: ({ who, what }: LogWords, action: string) => `${who} : ${action}, ${what}`,
    actions: {
      'settings.change': ({ who }) => `${who} a changé les règles de la maison`,
      'addresses.change': ({ who }) => `${who} a changé d’où la maison est atteinte`,
      'clock.trust': ({ who }) => `${who} a dit que l’heure est bonne`,
      'backup.make': ({ who }) => `${who} a fait une sauvegarde`,
      'backup.key': ({ who }) => `${who} a dit qui ouvre les sauvegardes à venir`,
      'user.add': ({ who, what }) => `${who} a fait un compte pour ${what}`,
      'user.name': ({ who, from, to }) =>
        `${who} s’appelle ${to ?? '?'} et non plus ${from ?? '?'}`,
      'user.role': ({ who, what, to }) => `${who} a fait de ${what} : ${role(to)}`,
      'user.guest_until': ({ who, what }) => `${who} a changé la durée du séjour de ${what}`,
      'user.block': ({ who, what }) => `${who} tient ${what} dehors`,
      'user.unblock': ({ who, what }) => `${who} a laissé revenir ${what}`,
      'user.end': ({ who, what }) => `${who} a mis fin au compte de ${what}`,
      'user.reset': ({ who, what }) =>
        `${who} a fait à ${what} un lien pour un nouveau mot de passe`,
      'user.reset_used': ({ what }) => `${what} a changé de mot de passe par un lien`,
      'user.sign_out': ({ who, what }) => `${who} a déconnecté ${what}`,
      'user.disconnect': ({ who, what }) => `${who} a coupé les connexions de ${what}`,
      'bot.make': ({ who, what }) => `${who} a fait le bot ${what}`,
      'bot.token': ({ who, what }) => `${who} a donné un jeton au bot ${what}`,
      'bot.token_end': ({ who, what }) => `${who} a mis fin à un jeton du bot ${what}`,
      'grant.add': ({ who, what }) => `${who} a donné des sujets MQTT à ${what}`,
      'grant.remove': ({ who, what }) => `${who} a repris des sujets MQTT à ${what}`,
      'room.add': ({ who, what }) => `${who} a fait le salon ${what}`,
      'room.update': ({ who, what }) => `${who} a changé les réglages de ${what}`,
      'room.delete': ({ who, what }) => `${who} a supprimé ${what}`,
      'room.kick': ({ who, what, room }) => `${who} a fait sortir ${what} de ${room ?? 'un salon'}`,
      'room.mute': ({ who, what, room }) => `${who} a mis ${what} en sourdine${within(room)}`,
      'room.unmute': ({ who, what, room }) => `${who} a rendu la parole à ${what}${within(room)}`,
      'room.ban': ({ who, what, room }) => `${who} a banni ${what} de ${room ?? 'un salon'}`,
      'room.unban': ({ who, what, room }) =>
        `${who} a levé le bannissement de ${what} de ${room ?? 'un salon'}`,
      'member.add': ({ who, what, whom }) =>
        `${who} a fait entrer ${whom ?? 'quelqu’un'} dans ${what}`,
      'member.role': ({ who, what, whom, to }) =>
        `${who} a fait de ${whom ?? 'quelqu’un'} : ${role(to)} dans ${what}`,
      'invite.create': ({ who, what }) => `${who} a fait une invitation dans ${what}`,
      'invite.revoke': ({ who, what }) => `${who} a retiré une invitation dans ${what}`,
      'device.change': ({ who, what, room, to }) =>
        to === 'seal'
          ? `${who} laisse le boîtier sceller les messages de ${what}${within(room)}, et les voir`
          : `${who} fait sceller ses messages par ${what} même${within(room)}`,
      'device.add': ({ who, what, room }) => `${who} a ajouté ${what}${within(room)}`,
      'device.remove': ({ who, what, room }) => `${who} a retiré ${what}${within(room)}`,
      'message.erase': ({ who, room }) =>
        `${who} a supprimé le message de quelqu’un${within(room)}`,
      'message.pin': ({ who, room }) => `${who} a épinglé un message${within(room)}`,
      'message.unpin': ({ who, room }) => `${who} a détaché un message${within(room)}`,
      'report.decide': ({ who, room }) => `${who} a décidé d’un signalement${within(room)}`,
      'attachment.quarantine': ({ who }) => `${who} a mis un fichier sous clé`,
      'attachment.release': ({ who }) => `${who} a libéré un fichier`,
    },
  },
  problems: {
    last_owner: [
      'La maison a besoin d’un propriétaire qui peut entrer.',
      'Faites d’abord quelqu’un d’autre propriétaire.',
    ],
    not_yourself: [
      'Personne ne fait cela à son propre compte.',
      'Demandez à un autre propriétaire.',
    ],
    bad_expiry: ['Un invité ne peut pas rester aussi longtemps.', 'Choisissez moins long.'],
    no_guests: [
      'Cette maison ne prend pas d’invités.',
      'Qui a démarré le boîtier l’a voulu ainsi.',
    ],
    no_password: ['Un bot n’a pas de mot de passe.', ''],
    forbidden: ['Vous ne pouvez pas faire cela.', 'Demandez à un propriétaire de la maison.'],
    changed_meanwhile: [
      'Quelqu’un d’autre a changé ceci au même moment.',
      'Ce qui y est à présent est montré ; changez-le encore.',
    ],
    would_lock_you_out: ['Cela vous mettrait dehors.', 'Laissez-y votre propre adresse.'],
    gone: ['C’est déjà décidé.', ''],
    not_a_person: ['Le message n’est de personne.', 'Retirez l’appareil dans son salon.'],
    general_is_everyones: ['Personne ne quitte le salon général.', 'Mettez plutôt en sourdine.'],
    bad_filter: [
      'Ces sujets ne peuvent pas être donnés.',
      'Écrivez quelque chose comme homeassistant/#.',
    ],
    bad_evidence: ['Ce qui a été montré ne s’ouvre pas ici.', 'Demandez à qui l’a signalé.'],
    no_evidence: ['Rien n’a été montré.', 'Demandez à qui l’a signalé.'],
    direct_room: ['Dans une conversation à deux, personne ne tient l’ordre.', ''],
    too_large: ['Les listes sont trop longues.', 'Rassemblez les adresses en réseaux.'],
    limit_reached: ['Il y en a déjà trop.', 'Mettez fin à ce dont vous n’avez pas besoin.'],
  },
};
