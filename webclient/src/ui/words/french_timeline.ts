// Se déplacer dans les messages d’un salon, en français.
import type { englishTimeline } from './english_timeline';

export const frenchTimeline: typeof englishTimeline = {
  reading: {
    loadNewer: 'Afficher les messages suivants',
    loadingNewer: 'Chargement des messages suivants…',
    newAbove: (n) => (n === 1 ? 'Un nouveau message' : `${n} nouveaux messages`),
    damaged: (n) =>
      n === 1
        ? 'Un message est illisible sur le disque du boîtier'
        : `${n} messages sont illisibles sur le disque du boîtier`,
    copyLink: 'Copier le lien',
    thread: 'Réponses',
    answers: (n) => (n === 0 ? 'Pas encore de réponse' : n === 1 ? '1 réponse' : `${n} réponses`),
    select: 'Sélectionner',
    selected: (n) => (n === 1 ? '1 message sélectionné' : `${n} messages sélectionnés`),
    selection: 'Messages sélectionnés',
    endSelection: 'Ne rien sélectionner',
    picked: 'sélectionné',
    pin: 'Épingler',
    unpin: 'Ne plus épingler',
    pinned: 'Messages épinglés',
    pinAway: 'Un message épinglé',
    allPins: (n) => `Les ${n}`,
    fewerPins: 'Seulement le dernier',
    report: 'Signaler',
    reportTitle: 'Signaler ce message ?',
    reportOpen:
      'Les personnes qui veillent ici voient le message, votre nom et ce que vous écrivez.',
    reportSealed:
      'Les personnes qui veillent ici voient votre nom, ce que vous écrivez et de quel message il s’agit. Si vous ne le montrez pas, il reste scellé : qui est dans ce salon peut le lire ici.',
    reportShow: 'Leur montrer le message',
    reportShowHelp: (names) =>
      `${names} pourront alors le lire, avec sa dernière modification, et voir si son auteur l’a signé. Le boîtier ne le peut pas.`,
    reportShowNobody: 'Personne de qui veille à l’ordre ici ne pourrait le lire.',
    reportReason: 'Qu’est-ce qui ne va pas ?',
    reported: 'Le signalement est parti. Les personnes qui veillent en sont averties.',
  },
  search: {
    title: 'Rechercher',
    placeholder: 'Mots des messages',
    filters: 'Seulement',
    everywhere: 'Dans tous les salons',
    withLink: 'Avec un lien',
    withFile: 'Avec un fichier',
    from: 'De la part de',
    anybody: 'Tout le monde',
    after: 'Du',
    before: 'Au',
    results: 'Messages trouvés',
    count: (n, more) =>
      n === 0
        ? 'Rien trouvé.'
        : n === 1
          ? '1 message.'
          : `${more ? 'Les ' : ''}${n} messages${more ? ' les plus récents' : ''}.`,
    covering: (day) =>
      `La recherche porte sur les messages depuis le ${day} ; les plus anciens sont encore en lecture.`,
    coveringNothing: 'Les messages sont encore en lecture ; réessayez dans un instant.',
    more: 'En voir plus',
    goToDay: 'Aller à un jour',
    go: 'Y aller',
  },
};
