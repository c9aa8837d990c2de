// Ce qui est dit de sa propre image et de son nom, en français.
import type { englishProfile } from './english_profile';

/** Les phrases sur la façon dont les autres nous voient. */
export const frenchProfile: typeof englishProfile = {
  seen: 'Comment les autres vous voient',
  choose: 'Choisir une image',
  another: 'Choisir une autre image',
  remove: 'Retirer l’image',
  cropLabel: 'Partie de l’image qui est montrée : les flèches la déplacent, plus et moins zooment',
  cropHelp: 'Faites glisser l’image où vous voulez.',
  zoom: 'Plus près',
  take: 'Utiliser cette partie',
  taking: 'Envoi…',
  noPicture: 'Ce navigateur ne peut pas lire ce fichier comme une image.',
  noPictureHint: 'Choisissez un JPEG, PNG, GIF ou WebP.',
  rename: 'Le changer',
  newName: 'Nouveau nom pour vous connecter',
  renameHelp:
    'L’ancien nom est aussitôt libre pour tout le monde. Votre mot de passe, vos clés et vos messages restent tels quels.',
  renameDone: 'Changer le nom',
};
