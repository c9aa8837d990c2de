// Ce que les écrans disent en français des salons que toute la maison trouve.
import type { englishPublicRooms } from './english_public_rooms';

/** Les phrases sur les salons ouverts à tous. */
export const frenchPublicRooms: typeof englishPublicRooms = {
  publicRooms: {
    title: 'Salons de la maison',
    browse: 'Voir les salons où entrer',
    search: 'Chercher un salon',
    none: 'Aucun salon n’est encore pour tous. Créez-en un avec le plus à côté des salons.',
    notFound: 'Aucun salon de ce nom.',
    found: (n) => (n <= 1 ? `${n} salon trouvé` : `${n} salons trouvés`),
    more: 'En montrer plus',
    people: (n) => (n <= 1 ? `${n} personne` : `${n} personnes`),
    join: 'Entrer',
    joinLabel: (room) => `Entrer dans ${room}`,
    open: 'Ouvrir',
    openLabel: (room) => `Ouvrir ${room}`,
  },
};
