// The lines of a device: by which doors, with which names and options.
import { describe, expect, test } from 'vitest';
import type { Health } from '../api/auth';
import { parseId } from '../protocol/ids';
import { deviceLines, type Here, type NewDoor } from './device_lines';

const room = parseId('01931e00-0000-7000-8000-000000000001');
const device = parseId('01931e00-0000-7000-8000-000000000002');
const open: NewDoor = { room, device, token: 'hearth_dev_x', recipient: null };
const sealed: NewDoor = { ...open, recipient: 'age1abc' };
const atBox: Here = { origin: 'http://127.0.0.1:8080', hostname: '127.0.0.1' };
const atHome: Here = { origin: 'https://192.168.1.5:8443', hostname: '192.168.1.5' };
const tls = {
  names: ['hearth.local', 'localhost', '127.0.0.1', '192.168.1.5'],
  own: true,
  https: '0.0.0.0:8443',
  mqtts: '0.0.0.0:8883',
};
const clear: Pick<Health, 'mqtt' | 'tls'> = { mqtt: '127.0.0.1:1883', tls: null };
const door = `hearth/rooms/${room}/door/${device}`;
const login = `-u ${device} -P hearth_dev_x`;
const bearer = '-H "Authorization: Bearer hearth_dev_x"';

const written = (...given: Parameters<typeof deviceLines>): string[] =>
  deviceLines(...given).lines.map(({ kind, line }) => `${kind}: ${line}`);

describe('in clear, at the box itself', () => {
  test('MQTT and HTTP, both for the box only', () => {
    const { lines, ca } = deviceLines(clear, atBox, open);
    expect(lines.map(({ kind, local }) => [kind, local])).toEqual([
      ['mqtt', true],
      ['http', true],
    ]);
    expect(ca).toBe(false);
    expect(written(clear, atBox, open)).toEqual([
      `mqtt: mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t ${door} ${login} -m "Washing done"`,
      `http: curl -sS --fail-with-body http://127.0.0.1:8080/api/door ${bearer} -d "Washing done"`,
    ]);
  });

  test('sealed before it leaves the device', () => {
    const seal = 'echo "Washing done" | age -r age1abc |';
    expect(written(clear, atBox, sealed)).toEqual([
      `mqtt: ${seal} mosquitto_pub -h 127.0.0.1 -p 1883 -q 1 -t ${door} ${login} -s`,
      `http: ${seal} curl -sS --fail-with-body http://127.0.0.1:8080/api/door ${bearer} --data-binary @-`,
    ]);
  });

  test('MQTT that listens everywhere is reached by the name of the page', () => {
    const { lines } = deviceLines({ ...clear, mqtt: '0.0.0.0:1884' }, atHome, open);
    expect(lines[0]).toMatchObject({ kind: 'mqtt', local: false });
    expect(lines[0]?.line).toContain('-h 192.168.1.5 -p 1884 ');
    const six = deviceLines({ ...clear, mqtt: '[::1]:1883' }, atHome, open).lines[0];
    expect(six).toMatchObject({ local: true });
    expect(six?.line).toContain('-h ::1 -p 1883 ');
  });

  test('there is no line for a door that is shut', () => {
    const { lines } = deviceLines({ mqtt: null, tls: null }, atBox, open);
    expect(lines.map(({ kind }) => kind)).toEqual(['http']);
  });
});

describe('over TLS', () => {
  test('with the name of the page, and the house’s certificate where it is its own', () => {
    expect(deviceLines({ mqtt: null, tls }, atHome, open).ca).toBe(true);
    expect(written({ mqtt: null, tls }, atHome, open)).toEqual([
      `mqtts: mosquitto_pub --cafile ca.crt -h 192.168.1.5 -p 8883 -q 1 -t ${door} ${login} -m "Washing done"`,
      `https: curl -sS --fail-with-body --cacert ca.crt https://192.168.1.5:8443/api/door ${bearer} -d "Washing done"`,
    ]);
  });

  test('with a certificate that was given, nothing is to be saved', () => {
    const given = { ...tls, own: false, names: ['chat.example.org'] };
    const here = { origin: 'https://chat.example.org', hostname: 'chat.example.org' };
    const { lines, ca } = deviceLines({ mqtt: null, tls: given }, here, sealed);
    expect(ca).toBe(false);
    expect(lines[0]?.line).toContain('mosquitto_pub --tls-use-os-certs -h chat.example.org ');
    expect(lines[1]?.line).toContain(
      'curl -sS --fail-with-body https://chat.example.org/api/door ',
    );
  });

  test('from a page on the box, by an address of the box that others reach', () => {
    const { lines } = deviceLines({ ...clear, tls }, atBox, open);
    expect(lines.map(({ kind, local }) => [kind, local])).toEqual([
      ['mqtt', true],
      ['mqtts', false],
      ['http', true],
      ['https', false],
    ]);
    expect(lines[1]?.line).toContain('-h 192.168.1.5 -p 8883 ');
    expect(lines[3]?.line).toContain('https://192.168.1.5:8443/api/door');
    const named = { ...tls, names: ['hearth.local', 'localhost'] };
    const other = deviceLines({ ...clear, tls: named }, atBox, open);
    expect(other.lines[1]?.line).toContain('-h hearth.local ');
  });

  test('on the box itself where it listens there alone', () => {
    const inside = { ...tls, https: '127.0.0.1:8443', mqtts: '[::1]:8883' };
    const { lines } = deviceLines({ mqtt: null, tls: inside }, atBox, open);
    expect(lines.map(({ kind, local }) => [kind, local])).toEqual([
      ['mqtts', true],
      ['http', true],
      ['https', true],
    ]);
    expect(lines[0]?.line).toContain('-h ::1 -p 8883 ');
    expect(lines[2]?.line).toContain('https://127.0.0.1:8443/api/door');
  });

  test('only the listeners that there are', () => {
    const some = { ...tls, https: null };
    const { lines } = deviceLines({ mqtt: null, tls: some }, atBox, open);
    expect(lines.map(({ kind }) => kind)).toEqual(['mqtts', 'http']);
    const none = { ...tls, https: null, mqtts: null };
    expect(deviceLines({ mqtt: null, tls: none }, atBox, open).ca).toBe(false);
  });
});
