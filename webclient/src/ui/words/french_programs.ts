// Ce que disent en français les écrans de qui tient la maison au sujet des programmes.
import type { englishPrograms } from './english_programs';

/** Les phrases sur les bots et les autres sujets MQTT. */
export const frenchPrograms: typeof englishPrograms = {
  bots: {
    lead: 'Un bot est le compte d’un programme : sans mot de passe, il entre par des jetons. Ce qu’il écrit n’a jamais l’air d’une personne.',
    all: 'Tous les bots',
    none: 'Pas encore de bot.',
    make: 'Faire un bot',
    name: 'Nom',
    nameRule: '3 à 20 lettres, chiffres ou _',
    displayName: 'Ce que voient les autres (peut rester vide)',
    displayNamePlaceholder: 'Météo',
    everywhere: 'Tous ses salons',
    tokens: 'Jetons',
    noTokens: 'Il n’a pas de jeton : aucun programme n’entre sous son nom.',
    room: 'Le laisser entrer dans un salon',
    roomHelp: 'Les salons ouverts seulement : dans un salon scellé il n’aurait pas de clé.',
    roomNone: 'Vous ne tenez aucun salon ouvert. Faites-en un, ou demandez à qui en tient un.',
    roomYes: 'Le laisser entrer',
    roomDone: (bot, room) => `${bot} est dans ${room}.`,
  },
  grants: {
    lead: 'Les salons n’ont besoin de rien ici. Ceci permet aux programmes de quelqu’un, ou à un appareil, d’autres sujets MQTT, comme ceux de Home Assistant.',
    none: 'Personne n’a d’autres sujets.',
    add: 'Donner des sujets',
    filter: 'Quels sujets ?',
    filterRule: 'Comme homeassistant/# ou zigbee2mqtt/+/set : un nom d’abord, et pas hearth',
    whom: 'À qui ?',
    device: (name, room) => `${name} (appareil de ${room})`,
    gone: 'Un appareil d’un salon où vous n’êtes pas',
    may: 'Que peut-on en faire ?',
    read: 'Lire',
    write: 'Écrire',
    both: 'Les deux',
    take: (filter) => `Reprendre ${filter}`,
    takeQuestion: (filter, who) =>
      `Reprendre ${filter} à ${who} ? Cela prend fin aussitôt, même pour les programmes connectés.`,
    takeYes: 'Reprendre',
  },
};
