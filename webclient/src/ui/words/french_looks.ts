// Ce qui est dit de la couleur d'un salon, en français.
import type { englishLooks } from './english_looks';

export const frenchLooks: typeof englishLooks = {
  looks: {
    title: 'Couleur de ce salon',
    help: 'Pour vous seulement, dans ce navigateur.',
    colours: {
      ember: 'Braise, comme partout',
      honey: 'Miel',
      moss: 'Mousse',
      lake: 'Lac',
      plum: 'Prune',
      slate: 'Ardoise',
    },
  },
};
