// What is said about the colour of a room, in English.

/** The sentences about rooms' colours; other languages have the same keys. */
export const englishLooks = {
  looks: {
    title: 'Colour of this room',
    help: 'For your eyes only, in this browser.',
    colours: {
      ember: 'Ember, as everywhere',
      honey: 'Honey',
      moss: 'Moss',
      lake: 'Lake',
      plum: 'Plum',
      slate: 'Slate',
    },
  },
};
