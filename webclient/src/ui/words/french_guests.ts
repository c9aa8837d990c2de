// Ce qui est dit aux invités de passage, et à qui les invite, en français.
import type { englishGuestProblems, englishGuests } from './english_guests';

/** Les phrases sur les invités de passage. */
export const frenchGuests: typeof englishGuests = {
  title: (house) => `Rendre visite à ${house}`,
  until: (date) => `Vous pouvez rester comme invité jusqu’au ${date}, sans mot de passe.`,
  joinUntil: (date) => `Vous venez comme invité : votre compte s’arrête le ${date}.`,
  label: 'Comment les autres doivent-ils vous appeler ?',
  done: 'Entrer comme invité',
  only: 'Vous n’êtes connecté que dans ce navigateur. Si vous vous déconnectez, ou si votre séjour se termine, c’est fini.',
  stay: (date) => `Invité jusqu’au ${date}`,
  leaving:
    'Vous êtes un invité sans mot de passe : une fois déconnecté, il vous faudra une nouvelle invitation pour revenir.',
  forWhom: 'Pour qui ?',
  lives: 'Quelqu’un de la maison',
  livesHelp: 'Reste pour de bon, et entre aussi dans le salon général.',
  visits: 'Un invité',
  visitsHelp: 'Ne voit que ce salon, et part de lui-même quand le temps est écoulé.',
  days: 'Combien de temps peut-il rester ?',
  forDays: (days) => (days === 1 ? 'Jour' : days === 7 ? 'Semaine' : 'Mois'),
  leadGuest: (room, date) => `Qui ouvre le lien voit ${room} et rien d’autre, jusqu’au ${date}.`,
};

/** Les problèmes connus des invités. */
export const frenchGuestProblems: typeof englishGuestProblems = {
  visit_over: [
    'Votre séjour d’invité est terminé.',
    'Demandez une nouvelle invitation pour revenir.',
  ],
  account_required: [
    'Cette invitation demande un compte : le salon est scellé.',
    'Demandez une nouvelle invitation.',
  ],
  no_guests: ['Cette maison ne reçoit pas d’invités.', 'Demandez un compte à qui s’en occupe.'],
};
