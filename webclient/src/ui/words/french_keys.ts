// Changed keys and who can read a room, in French.
import type { englishKeys } from './english_keys';

/** French. */
export const frenchKeys: typeof englishKeys = {
  trust: {
    changedTitle: (name) => `Les clés de ${name} ont changé`,
    changedHelp:
      'Souvent, un téléphone est perdu ou un mot de passe oublié. Si ce n’est peut-être pas cette personne, demandez-lui d’abord de vive voix. Vous pouvez continuer à lire ; rien n’est envoyé avant votre accord.',
    offeredHelp:
      'Cette personne ne peut pas lire ce qui s’écrit tant que personne n’accepte ses nouvelles clés. Demandez-lui de vive voix si elle a recommencé à zéro.',
    letInBy: (name, when) => `Admises par ${name}, ${when}`,
    madeOn: (when) => `Nouvelles clés du ${when}`,
    accept: (name) => `C’est bien ${name}`,
    state: {
      self: 'vous',
      unverified: 'pas encore vérifié',
      vouched: 'connu de quelqu’un à la maison',
      verified: 'vérifié en personne',
      changed: 'clés changées',
    },
    keyMade: (n, when) => `Clé numéro ${n}, depuis le ${when}.`,
    keyMadeBy: (n, name, when) => `Clé numéro ${n}, faite par ${name}, le ${when}.`,
    hints: 'Dire au boîtier qui un message nomme',
    hintsHelp:
      'Elle peut alors prévenir ces personnes, et apprend qui nomme qui. Ce qui est écrit reste scellé.',
    goneLead: 'Avec la clé, bien que le boîtier ne les nomme pas parmi les membres :',
    goneHelp:
      'Qui est parti ou a été retiré lit encore jusqu’à la prochaine clé. Si cela dure, le boîtier ne vous dit pas tout.',
    devicesLead: 'Appareils qui écrivent ici et ne lisent rien :',
  },
};
