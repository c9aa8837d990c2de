// Son propre compte, en français.
import type { englishAccount, englishAccountProblems } from './english_account';

/** Les phrases sur le compte. */
export const frenchAccount: typeof englishAccount = {
  comeback: {
    forgot: 'Mot de passe oublié ?',
    forgotHelp:
      'Personne n’en a de copie. Si vous êtes encore connecté quelque part, utilisez ce navigateur. Sinon, demandez à un admin de la maison un lien pour un nouveau mot de passe, et gardez votre fiche de secours à portée de main.',
    useOther: 'Se connecter avec un autre navigateur',
    resetTitle: 'Choisissez un nouveau mot de passe',
    resetHelp:
      'Ce lien définit le mot de passe de connexion. Il ne peut pas ouvrir ce que vous avez scellé : il faut pour cela votre fiche de secours, ou un navigateur où vous êtes encore connecté. C’est l’étape suivante.',
    resetDone: 'Définir le mot de passe',
    resetElsewhere: (name) =>
      `Le nouveau mot de passe de ${name} est défini. Une autre personne est connectée ici : ${name} se connecte dans son propre navigateur.`,
    goOn: 'Ouvrir Hearth',
    lockedTitle: 'Ouvrez maintenant vos clés',
    lockedHelp: (name) =>
      `Vous êtes connecté, ${name}. Ce que vous avez scellé est encore sous votre ancien mot de passe, et le boîtier ne peut pas l’ouvrir. Choisissez comment l’ouvrir :`,
    bySheet: 'Avec la fiche de secours',
    bySheetHelp: 'La page imprimée, ou le fichier enregistré.',
    byBrowser: 'Avec un autre navigateur',
    byBrowserHelp: 'Un téléphone ou un ordinateur où vous êtes encore connecté.',
    byPassword: 'Avec l’ancien mot de passe',
    byPasswordHelp: 'S’il vous revient.',
    anew: 'Commencer avec de nouvelles clés',
    anewHelp: 'Quand il ne reste rien d’autre.',
    anewWarning:
      'Vous recevez de nouvelles clés et une nouvelle fiche de secours. Les autres voient que vos clés ont changé. Dès que l’un d’eux accepte les nouvelles, vous pouvez de nouveau lire les salons.',
    anewDone: 'Créer de nouvelles clés',
    sheetTitle: 'Votre fiche de secours',
    sheetHelp:
      'Saisissez ou collez le code de secours. Les majuscules et les espaces n’ont pas d’importance.',
    sheetLabel: 'Code de secours',
    sheetPlaceholder: 'AGE-SECRET-KEY-1…',
    sheetFile: 'Lire une image ou le fichier enregistré',
    sheetNothing: 'Aucun code de secours n’y a été trouvé.',
    scan: 'Scanner avec l’appareil photo',
    scanning: 'Tenez le code devant l’appareil photo',
    scanFailed:
      'L’appareil photo ne peut pas être utilisé ici. Saisissez le code, ou choisissez-en une image.',
    openKeys: 'Ouvrir mes clés',
    oldTitle: 'Votre ancien mot de passe',
    oldLabel: 'Ancien mot de passe',
    otherWay: 'Un autre moyen',
    backToLogin: 'Retour à la connexion',
  },
  pairing: {
    hereTitle: 'Se connecter avec un autre navigateur',
    hereHelp:
      'Sur un téléphone ou un ordinateur où vous êtes connecté : scannez ce code avec l’appareil photo, ou ouvrez Réglages, Navigateurs, « Laisser entrer un nouveau navigateur », et saisissez les lettres.',
    begins: 'Le boîtier prépare un lieu de rencontre…',
    qr: 'Code pour l’autre navigateur',
    typed: 'Ou saisissez ceci là-bas',
    left: (seconds) => `Valable encore ${seconds} secondes.`,
    digitsTitle: 'Comparez ces chiffres',
    digitsHere:
      'L’autre navigateur doit afficher les mêmes six chiffres. Dites oui là-bas, et ce navigateur s’ouvre de lui-même.',
    digits: 'Six chiffres',
    again: 'Réessayer',
    failed: {
      timed_out: ['Les deux minutes sont passées.', 'Recommencez, avec un nouveau code.'],
      refused: [
        'L’autre navigateur a dit non.',
        'Si les chiffres différaient, quelqu’un se trouve peut-être entre les deux. Réessayez à la maison, sur votre propre réseau.',
      ],
      damaged: [
        'Ce qui est venu de l’autre côté ne s’ouvre pas.',
        'Quelqu’un se trouve peut-être entre les deux navigateurs. Rien de ce qui est à vous n’a été donné. Réessayez à la maison.',
      ],
      offline: ['Le boîtier est injoignable.', 'Vérifiez le réseau, puis réessayez.'],
      mistyped: ['Ce n’est pas un tel code.', 'Il a 42 lettres et chiffres ; comparez-les.'],
      gone: [
        'Personne n’attend derrière ce code.',
        'Il vaut deux minutes et une réponse. Recommencez sur le nouveau navigateur.',
      ],
      other_key: [
        'La clé du nouveau navigateur n’est pas celle que vous avez saisie.',
        'Quelqu’un se trouve peut-être entre les deux navigateurs. Rien de ce qui est à vous n’a été donné. Réessayez à la maison.',
      ],
    },
    letTitle: 'Laisser entrer un nouveau navigateur',
    letHelp:
      'Sur le nouveau téléphone ou ordinateur, choisissez « Se connecter avec un autre navigateur ». Puis scannez son code, ou saisissez les lettres en dessous.',
    letLabel: 'Lettres sur le nouveau navigateur',
    letFind: 'Continuer',
    looking: 'Recherche du nouveau navigateur…',
    digitsThere: 'Le nouveau navigateur affiche-t-il les mêmes six chiffres ?',
    same: 'Oui, le laisser entrer',
    differ: 'Non, ils diffèrent',
    warning: 'Il lira tout ce que vous pouvez lire, et écrira en votre nom.',
    giving: 'Remise de vos clés, scellées…',
    done: 'Le nouveau navigateur est entré.',
    close: 'Terminé',
    label: (date) => `Entré le ${date}`,
  },
  account: {
    title: 'Réglages',
    sections: 'Parties des réglages',
    back: 'Tous les réglages',
    profile: 'Profil',
    browsers: 'Navigateurs',
    keys: 'Mot de passe et clés',
    tokens: 'Jetons d’application',
    look: 'Ce navigateur',
    saved: 'Enregistré',
    save: 'Enregistrer',
    displayName: 'Nom affiché',
    displayNameRule: (name) =>
      `Les autres le voient à côté de ce que vous écrivez. Vide : ${name}.`,
    signInName: (name) => `Vous vous connectez en tant que ${name}.`,
    status: 'Statut',
    statusPlaceholder: 'Aux fourneaux',
    statusRule: 'Une ligne que les autres voient à côté de votre nom.',
    presence: 'Comment vous apparaissez',
    presences: {
      online: 'Là',
      away: 'Absent',
      busy: 'Occupé',
      offline: 'Pas là',
    },
    presencesHelp: {
      online: 'Tant qu’un de vos navigateurs est ouvert.',
      away: 'Comme si vous étiez sorti un moment.',
      busy: 'Présent, mais à ne pas déranger.',
      offline: 'Même quand vous l’êtes.',
    },
    passwordTitle: 'Mot de passe',
    oldPassword: 'Mot de passe actuel',
    newPassword: 'Nouveau mot de passe',
    changePassword: 'Changer le mot de passe',
    passwordHelp:
      'Vos clés sont scellées de nouveau avec lui. Tous vos autres navigateurs sont déconnectés ; ce qui est enregistré reste.',
    passwordChanged: 'Le mot de passe est changé. Vos autres navigateurs sont déconnectés.',
    sheetTitle: 'Fiche de secours',
    sheetHelp:
      'Elle ouvre vos clés quand le mot de passe est perdu. Faites-en une nouvelle si l’ancienne a disparu ou si quelqu’un l’a vue : l’ancienne n’ouvre alors plus rien.',
    newSheet: 'Faire une nouvelle fiche',
    newSheetQuestion:
      'Faire une nouvelle fiche de secours ? Celle que vous avez n’ouvrira plus rien.',
    loginsHelp: 'Où vous êtes connecté. Déconnectez ce que vous ne connaissez pas.',
    thisOne: 'celui-ci',
    lastSeen: (when) => `Vu pour la dernière fois ${when}`,
    since: (date) => `depuis le ${date}`,
    now: 'maintenant',
    endLogin: 'Déconnecter',
    endLoginLabel: (name) => `Déconnecter : ${name}`,
    endLoginQuestion: (name) =>
      `Déconnecter « ${name} » ? Il ne pourra plus se connecter. Ce qu’il a enregistré jusque-là y reste.`,
    lost: 'Cet appareil est perdu',
    lostQuestion: (name) =>
      `« ${name} » est déconnecté, avec tous vos autres navigateurs, et vous recevez de nouvelles clés : qui a l’appareil ne lit rien de ce qui est écrit à partir de maintenant. Ce qu’il a enregistré jusque-là peut être lu par qui l’ouvre.`,
    lostPassword: 'Votre mot de passe',
    lostDone: 'Déconnecter et créer de nouvelles clés',
    lostAfter:
      'C’est fait. Vous avez de nouvelles clés, et vos salons en reçoivent d’eux-mêmes. Reconnectez-vous sur vos autres navigateurs. Si quelqu’un connaît peut-être le mot de passe, changez-le aussi. Votre fiche de secours reste valable.',
    endOthers: 'Déconnecter tous les autres',
    endOthersQuestion: 'Se déconnecter partout sauf ici ?',
    letIn: 'Laisser entrer un nouveau navigateur',
    tokensHelp:
      'Pour des programmes qui lisent ou écrivent en votre nom. Un programme reçoit son propre jeton, jamais votre mot de passe.',
    tokensNone: 'Aucun programme n’a de jeton.',
    tokenLabel: 'À quoi sert-il ?',
    tokenPlaceholder: 'Script de la liste de courses',
    tokenMay: 'Que peut-il faire ?',
    tokenRead: 'Lire',
    tokenWrite: 'Écrire',
    tokenBoth: 'Lire et écrire',
    tokenWhere: 'Où ?',
    tokenEverywhere: 'Tous mes salons',
    tokenRooms: 'Seulement ceux-ci',
    tokenMake: 'Créer un jeton',
    tokenOnce: 'Copiez-le maintenant : il n’est affiché que cette fois.',
    tokenText: 'Jeton',
    tokenSealed: 'Dans les salons scellés, un programme ne voit que du texte scellé.',
    tokenNeverUsed: 'jamais utilisé',
    tokenUsed: (when) => `utilisé la dernière fois ${when}`,
    tokenEnd: (label) => `Révoquer le jeton « ${label} »`,
    tokenEndQuestion: (label) =>
      `Révoquer « ${label} » ? Le programme qui l’utilise cessera de fonctionner.`,
    tokenEndNow: 'Révoquer',
    enter: 'Touche Entrée',
    enterSends: 'Envoie le message',
    enterSendsHelp: 'Maj et Entrée commencent une nouvelle ligne.',
    enterBreaks: 'Commence une nouvelle ligne',
    enterBreaksHelp: 'Ctrl ou ⌘ et Entrée envoient.',
    guestUntil: (date) => `Vous êtes ici comme invité jusqu’au ${date}.`,
  },
};

/** Ce qui peut échouer, par code. */
export const frenchAccountProblems: Readonly<
  Record<keyof typeof englishAccountProblems, readonly [string, string]>
> = {
  wrong_sheet: [
    'Ce code n’ouvre pas vos clés.',
    'Comparez-le avec la fiche. Si vous en avez fait une plus récente, prenez celle-là.',
  ],
  wrong_password: ['Ce mot de passe n’est pas le bon.', 'Vérifiez-le ; les majuscules comptent.'],
  reset_gone: [
    'Ce lien a déjà servi, ou sa journée est passée.',
    'Demandez-en un nouveau à un admin de la maison.',
  ],
  signed_out: [
    'Ce navigateur a été déconnecté : depuis un autre navigateur, ou par un nouveau mot de passe.',
    'Entrez de nouveau. Ce que vous avez écrit ici et qui n’est pas parti est gardé.',
  ],
  vault_closed: [
    'Ce mot de passe n’ouvre pas vos clés : il a été changé ou réinitialisé.',
    'Prenez la fiche de secours, ou un navigateur où vous êtes encore connecté.',
  ],
  vault_rolled_back: [
    'Le boîtier montre une copie de vos clés plus ancienne que celle vue par ce navigateur.',
    'Demandez à qui s’occupe du boîtier s’il a été restauré d’une sauvegarde. Rien n’a été changé ici.',
  ],
  vault_conflict: ['Un autre de vos navigateurs a changé les clés au même moment.', 'Réessayez.'],
};
