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
  },
};
