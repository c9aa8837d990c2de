// Ce que disent les écrans des lignes d'un appareil, en français.
import type { englishDevices } from './english_devices';

export const frenchDevices: typeof englishDevices = {
  lines: {
    title: (name) => `Les lignes pour ${name}`,
    kinds: {
      mqtt: 'MQTT',
      mqtts: 'MQTT sous TLS',
      http: 'HTTP',
      https: 'HTTPS',
    },
    local: 'sur le boîtier lui-même',
    lead: 'Lancez-en une dans un terminal de l’appareil. Le boîtier peut lire ce qu’il publie.',
    leadSealed:
      'Lancez-en une dans un terminal de l’appareil, où age est installé. Le texte est scellé avant de quitter l’appareil.',
    ca: 'Les lignes sous TLS veulent le certificat de la maison, ca.crt, dans le même dossier.',
    caSave: 'Enregistrer ca.crt',
    token: 'Son jeton, pour d’autres programmes',
    once: 'Les lignes portent le secret de l’appareil et ne sont montrées que maintenant.',
    again:
      'Mettez le jeton de l’appareil à la place de TOKEN : il a été montré à l’ajout de l’appareil. Perdu ? Retirez l’appareil et ajoutez-le à nouveau.',
    refused: (when, why) => `Refusé ${when} : ${why}`,
  },
};
