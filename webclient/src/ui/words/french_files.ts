// Files, pictures, voice messages and the installed client, in French.
import type { englishFiles } from './english_files';

/** French. */
export const frenchFiles: typeof englishFiles = {
  files: {
    attach: 'Joindre des fichiers',
    dropHere: 'Lâchez pour joindre',
    tray: 'Fichiers à envoyer',
    remove: (name) => `Ne pas envoyer ${name}`,
    preparing: 'Préparation…',
    redrawn: 'Réduite, sans lieu ni date',
    asIs: 'Telle quelle : elle peut dire où elle a été prise',
    sendAsIs: 'Envoyer l’original',
    sendRedrawn: 'Retirer le lieu et la date',
    pickOne: 'Pour cette image',
    kinds: {
      image: 'Photo',
      audio: 'Son',
      video: 'Vidéo',
      voice: 'Message vocal',
      file: 'Fichier',
    },
    size: (amount, unit) => `${amount} ${{ B: 'o', KB: 'Ko', MB: 'Mo' }[unit]}`,
    download: 'Télécharger',
    downloadNamed: (name, size) => `Télécharger ${name}, ${size}`,
    open: (name) => `Ouvrir ${name}`,
    waiting: 'En attente d’envoi',
    uploading: (percent) => `Envoi… ${percent} %`,
    cancel: 'Ne pas envoyer',
    tryAgain: 'Réessayer',
    play: 'Écouter',
    pause: 'Pause',
    at: (time, whole) => `${time} sur ${whole}`,
    position: 'Position dans l’enregistrement',
    speed: (times) => `Vitesse ${times}`,
    notPlayable: 'Ce navigateur ne peut pas le lire.',
    lightbox: 'Images',
    previous: 'Image précédente',
    next: 'Image suivante',
    zoomIn: 'Agrandir',
    zoomOut: 'Réduire',
    ofAll: (n, all) => `${n} sur ${all}`,
    sentBy: (who, when) => `${who}, ${when}`,
  },
  voice: {
    record: 'Enregistrer un message vocal',
    recording: 'Enregistrement',
    stop: 'Arrêter et écouter',
    send: 'Envoyer le message vocal',
    cancel: 'Jeter l’enregistrement',
    askMicrophone: 'Votre navigateur demande si Hearth peut utiliser le micro.',
    limit: 'Un message vocal ne peut pas être plus long.',
  },
  shell: {
    update: 'Une nouvelle version de Hearth est là.',
    reload: 'Recharger',
    later: 'Plus tard',
  },
};

/** What can go wrong with files, by code. */
export const frenchFileProblems: Readonly<Record<string, readonly [string, string]>> = {
  bad_type: [
    'Dans un salon ouvert, le boîtier ne prend que les fichiers jpg, png, gif, webp, pdf, doc, docx et zip.',
    'Mettez-le dans un fichier zip, ou envoyez-le dans un salon scellé.',
  ],
  file_too_large: [
    'Un fichier fait 10 Mo au plus.',
    'Réduisez-le, ou envoyez-le en plusieurs parties.',
  ],
  too_many_files: [
    'Un message montre 10 fichiers au plus.',
    'Les autres ont été laissés de côté : envoyez-les ensuite.',
  ],
  unreadable_file: [
    'Ceci n’a pas pu être lu ; c’est peut-être un dossier.',
    'Choisissez les fichiers qu’il contient.',
  ],
  file_gone: ['Ce fichier n’est plus sur le boîtier.', 'Demandez à la personne qui l’a envoyé.'],
  file_damaged: [
    'Ce fichier est abîmé, ou n’est pas celui qui a été envoyé.',
    'Demandez-le encore une fois.',
  ],
  quota_full: [
    'Il n’y a plus de place pour vos fichiers sur le boîtier.',
    'Supprimez des messages avec des fichiers, ou demandez à qui gère le boîtier.',
  ],
  malware_found: [
    'L’antivirus du boîtier a refusé ce fichier.',
    'S’il est inoffensif, demandez à qui gère le boîtier.',
  ],
  no_microphone: ['Aucun micro ne peut être utilisé.', 'Branchez-en un, puis réessayez.'],
  microphone_denied: [
    'Votre navigateur ne laisse pas Hearth utiliser le micro.',
    'Autorisez-le dans le navigateur, à côté de l’adresse, puis réessayez.',
  ],
  no_picture: ['Ce navigateur ne peut pas montrer l’image.', 'Téléchargez-la plutôt.'],
};
