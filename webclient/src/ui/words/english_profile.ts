// What is said about one's own picture and name, in English.

/** The sentences about how the others see one; other languages have the same keys. */
export const englishProfile = {
  seen: 'How the others see you',
  choose: 'Choose a picture',
  another: 'Choose another picture',
  remove: 'Take the picture away',
  cropLabel: 'Part of the picture that is shown: arrow keys move it, plus and minus zoom',
  cropHelp: 'Drag the picture to where you want it.',
  zoom: 'Nearer',
  take: 'Use this part',
  taking: 'Sending it…',
  noPicture: 'This browser cannot read that file as a picture.',
  noPictureHint: 'Choose a JPEG, PNG, GIF or WebP.',
  rename: 'Change it',
  newName: 'New name to sign in with',
  renameHelp:
    'The old name is free for anybody at once. Your password, keys and messages stay as they are.',
  renameDone: 'Change the name',
};
