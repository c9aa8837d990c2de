// MQTT 5 over WebSocket by mqtt.js: the only file that knows the library.
import type { IClientOptions, MqttClient } from 'mqtt';
import * as topic from '../protocol/topic';
import {
  LinkLost,
  Refused,
  type Link,
  type LinkEvents,
  type LinkLogin,
  type Subscriptions,
  type Transport,
} from './transport';

const CONNECT_MS = 10_000;
const KEEP_ALIVE_S = 30;
const PACKET_BYTES_MAX = 256 * 1024;
const IN_FLIGHT_MAX = 64;

/** The packet parts that carry a refusal, as far as they can be trusted to be there. */
function refusalOf(error: unknown, packet: unknown): Refused | null {
  const reason = numberAt(packet, 'reasonCode') ?? numberAt(error, 'code');
  if (reason === null || reason < 0x80) return null;
  const text = textAt(propertiesOf(packet), 'reasonString') ?? '';
  return new Refused(reason, text);
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
const propertiesOf = (packet: unknown): unknown => at(packet, 'properties');
function numberAt(value: unknown, key: string): number | null {
  const found = at(value, key);
  return typeof found === 'number' ? found : null;
}
function textAt(value: unknown, key: string): string | null {
  const found = at(value, key);
  return typeof found === 'string' ? found : null;
}

function connect(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    let refused: Refused | null = null;
    client.once('connect', () => resolve());
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'connack') refused ??= refusalOf(null, packet);
    });
    client.once('error', (error) => reject(refused ?? refusalOf(error, null) ?? lost(error)));
    client.once('close', () => reject(refused ?? new LinkLost('the box does not answer')));
  });
}

const lost = (cause: unknown): LinkLost => new LinkLost('the connection broke', { cause });

function subscribe(client: MqttClient, { me, after }: Subscriptions): Promise<void> {
  const kept = [topic.ALL_OUT, topic.ALL_KEYS, topic.ALL_RECEIPTS, topic.STATUS, topic.inbox(me)];
  const wanted = {
    ...Object.fromEntries(kept.map((filter) => [filter, { qos: 1 as const }])),
    [topic.ALL_LIVE]: { qos: 0 as const },
    [topic.ALL_PRESENCE]: { qos: 0 as const },
  };
  const positions = after.map(([room, position]) => `${room}:${position}`);
  const properties = positions.length === 0 ? {} : { userProperties: { after: positions } };
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new LinkLost('the connection broke')));
    client.subscribe(wanted, { qos: 1, properties }, (error, granted, packet) => {
      const codes = granted?.map(({ qos }) => Number(qos)) ?? [];
      const reason = codes.find((code) => code >= 0x80);
      if (reason !== undefined) {
        return reject(new Refused(reason, textAt(propertiesOf(packet), 'reasonString') ?? ''));
      }
      return error === null || error === undefined ? resolve() : reject(lost(error));
    });
  });
}

function publish(client: MqttClient, name: string, payload: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const broke = (): void => reject(new LinkLost('the connection broke'));
    if (!client.connected) return broke();
    client.once('close', broke);
    // mqtt.js takes any Uint8Array; its types name Node's Buffer.
    client.publish(name, payload as Buffer, { qos: 1 }, (error, packet) => {
      client.off('close', broke);
      const refused = refusalOf(error, packet);
      if (refused !== null) reject(refused);
      else if (error === undefined || error === null) resolve();
      else reject(lost(error));
    });
  });
}

/** QoS 0: nobody says whether it came. */
function tell(client: MqttClient, name: string, payload: Uint8Array): void {
  if (client.connected) client.publish(name, payload as Buffer, { qos: 0 });
}

/** MQTT at a WebSocket address. */
export function mqttTransport(url: string): Transport {
  return {
    open: (login, subscriptions, events) => open(url, login, subscriptions, events),
  };
}

/** Loaded with the first connection, or before it: whoever only knocks needs none. */
export async function library(): Promise<(typeof import('mqtt'))['default']> {
  try {
    return (await import('mqtt')).default;
  } catch (cause) {
    throw new LinkLost('the page is not loaded whole', { cause });
  }
}

async function open(
  url: string,
  login: LinkLogin,
  subscriptions: () => Promise<Subscriptions>,
  events: LinkEvents,
): Promise<Link> {
  const options: IClientOptions = {
    ...login,
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: CONNECT_MS,
    keepalive: KEEP_ALIVE_S,
    timerVariant: 'native',
    properties: { receiveMaximum: IN_FLIGHT_MAX, maximumPacketSize: PACKET_BYTES_MAX },
  };
  const client = (await library()).connect(url, options);
  client.setMaxListeners(0);
  client.on('message', (name, payload) => events.message(name, new Uint8Array(payload)));
  // Errors are told by 'close' or by the callback that they belong to.
  client.on('error', () => undefined);
  try {
    const [wanted] = await Promise.all([subscriptions(), connect(client)]);
    if (!client.connected) throw new LinkLost('the connection broke');
    await subscribe(client, wanted);
  } catch (error) {
    client.end(true);
    throw error;
  }
  let why: Refused | null = null;
  let ended = false;
  client.on('disconnect', (packet) => {
    why = refusalOf(null, packet);
  });
  client.on('close', () => {
    if (ended) return;
    ended = true;
    client.end(true);
    events.lost(why ?? new LinkLost('the connection broke'));
  });
  return {
    publish: (name, payload) => publish(client, name, payload),
    tell: (name, payload) => tell(client, name, payload),
    close: () => {
      ended = true;
      client.end(true);
    },
  };
}
