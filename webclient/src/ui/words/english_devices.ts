// What the screens say of a device's lines, in English.

/** The sentences about a device's lines; other languages have the same keys. */
export const englishDevices = {
  lines: {
    title: (name: string) => `The lines for ${name}`,
    kinds: {
      mqtt: 'MQTT',
      mqtts: 'MQTT over TLS',
      http: 'HTTP',
      https: 'HTTPS',
    },
    local: 'on the box itself',
    lead: 'Run one of them in a shell on the device. The box can read what it posts.',
    leadSealed:
      'Run one of them in a shell on the device, where age is installed. The text is sealed before it leaves the device.',
    ca: 'The lines over TLS want the certificate of the house, ca.crt, in the same folder.',
    caSave: 'Save ca.crt',
    token: 'Its token, for other programs',
    once: 'The lines hold the device’s secret and are shown only now.',
    again:
      'Put the device’s token in the place of TOKEN: it was shown when the device was added. Lost? Remove the device and add it anew.',
    refused: (when: string, why: string) => `Refused ${when}: ${why}`,
  },
};
