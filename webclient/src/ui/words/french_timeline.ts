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
