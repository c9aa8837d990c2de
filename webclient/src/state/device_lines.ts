// The lines that a device pastes into a shell: by the doors of the box that are open today.
import type { Health } from '../api/auth';
import type { Id } from '../protocol/ids';
import * as topic from '../protocol/topic';
import type { DeviceLine } from './model';

/** Where the page itself came from. */
export interface Here {
  readonly origin: string;
  readonly hostname: string;
}

/** A device as its lines name it; `recipient` null: it seals nothing itself. */
export interface NewDoor {
  readonly room: Id;
  readonly device: Id;
  /** Null: only the device has it, and the lines say TOKEN. */
  readonly token: string | null;
  readonly recipient: string | null;
}

const SAYS = 'Washing done';
const TOKEN = 'TOKEN';
const LOOPBACK = /^(127\.|localhost$|\[?::1\]?$)/;
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const EVERYWHERE = /^(0\.0\.0\.0|\[::\])?$/;

interface Reached {
  readonly host: string;
  readonly port: string;
  /** From the box itself only. */
  readonly local: boolean;
}

/** Where `ADDR:PORT` is reached; `everywhere`: by what name where it listens on every address. */
function reached(listener: string, everywhere: string): Reached {
  const [, found = '', port = ''] = /^(.*):(\d+)$/.exec(listener) ?? [];
  const host = EVERYWHERE.test(found) ? everywhere : found.replace(/^\[(.*)\]$/, '$1');
  return { host, port, local: LOOPBACK.test(host) };
}

/** A name of the certificate that a device can reach without further ado. */
function nameFor({ hostname }: Here, names: readonly string[]): string {
  const outside = names.filter((name) => !LOOPBACK.test(name));
  if (outside.includes(hostname)) return hostname;
  return outside.find((name) => ADDRESS.test(name)) ?? outside[0] ?? hostname;
}

/** `mosquitto_pub` or `curl` with what it sends: in clear, or sealed before it leaves. */
function line({ recipient }: NewDoor, command: string, clear: string, sealed: string): string {
  if (recipient === null) return `${command} ${clear}`;
  return `echo "${SAYS}" | age -r ${recipient} | ${command} ${sealed}`;
}

function mqttLine(door: NewDoor, at: Reached, trust: string): string {
  const to = `-h ${at.host} -p ${at.port} -q 1 -t ${topic.door(door.room, door.device)}`;
  const command = `mosquitto_pub${trust} ${to} -u ${door.device} -P ${door.token ?? TOKEN}`;
  return line(door, command, `-m "${SAYS}"`, '-s');
}

function curlLine(door: NewDoor, origin: string, trust: string): string {
  const command =
    `curl -sS --fail-with-body${trust} ${origin}/api/door ` +
    `-H "Authorization: Bearer ${door.token ?? TOKEN}"`;
  return line(door, command, `-d "${SAYS}"`, '--data-binary @-');
}

/** All of them, the plainest first; `ca`: those over TLS want the house's certificate beside them. */
export function deviceLines(
  { mqtt, tls }: Pick<Health, 'mqtt' | 'tls'>,
  here: Here,
  door: NewDoor,
): { readonly lines: readonly DeviceLine[]; readonly ca: boolean } {
  const lines: DeviceLine[] = [];
  if (mqtt !== null) {
    const at = reached(mqtt, here.hostname);
    lines.push({ kind: 'mqtt', local: at.local, line: mqttLine(door, at, '') });
  }
  const name = nameFor(here, tls?.names ?? []);
  if (tls?.mqtts !== null && tls?.mqtts !== undefined) {
    const trust = tls.own ? ' --cafile ca.crt' : ' --tls-use-os-certs';
    const at = reached(tls.mqtts, name);
    lines.push({ kind: 'mqtts', local: at.local, line: mqttLine(door, at, trust) });
  }
  const trust = tls?.own === true ? ' --cacert ca.crt' : '';
  const local = LOOPBACK.test(here.hostname);
  if (here.origin.startsWith('https:')) {
    lines.push({ kind: 'https', local, line: curlLine(door, here.origin, trust) });
  } else {
    lines.push({ kind: 'http', local, line: curlLine(door, here.origin, '') });
    if (tls?.https !== null && tls?.https !== undefined) {
      const at = reached(tls.https, name);
      const host = at.host.includes(':') ? `[${at.host}]` : at.host;
      const origin = `https://${host}:${at.port}`;
      lines.push({ kind: 'https', local: at.local, line: curlLine(door, origin, trust) });
    }
  }
  const safe = lines.some(({ kind }) => kind === 'mqtts' || kind === 'https');
  return { lines, ca: safe && tls?.own === true };
}
