// A person's journey with mqtt.js over WebSocket; exit code 0 if every step went well.
// The one argument is JSON: url, user, token, inlet, outlet, plain (a granted topic), version.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const webclient = new URL('../../webclient/package.json', import.meta.url);
const mqtt = createRequire(webclient)('mqtt');
const scene = JSON.parse(process.argv[2]);

/** One connection; what arrives waits in `heard`. */
class Client {
  constructor(clientId, { clean = true, will } = {}) {
    const v5 = scene.version === 5;
    this.heard = [];
    this.waiting = [];
    this.mqtt = mqtt.connect(scene.url, {
      clientId,
      clean,
      will: will && { topic: scene.inlet, payload: will, qos: 1, retain: false },
      username: scene.user,
      password: scene.token,
      protocolVersion: v5 ? 5 : 4,
      properties: v5 ? { sessionExpiryInterval: clean ? 0 : 600 } : undefined,
      reconnectPeriod: 0,
    });
    this.mqtt.on('message', (_topic, payload, packet) => {
      const take = this.waiting.shift();
      if (take) take({ text: payload.toString(), retain: packet.retain });
      else this.heard.push({ text: payload.toString(), retain: packet.retain });
    });
    this.connected = new Promise((resolve, reject) => {
      this.mqtt.once('connect', (answer) => resolve(answer.sessionPresent));
      this.mqtt.once('error', reject);
    });
  }

  static async come(clientId, options) {
    const client = new Client(clientId, options);
    await client.connected;
    return client;
  }

  async subscribe(topic, qos) {
    const granted = await this.mqtt.subscribeAsync(topic, { qos });
    assert.equal(granted[0].qos, qos);
  }

  publish(topic, text, qos, retain = false) {
    return this.mqtt.publishAsync(topic, text, { qos, retain });
  }

  next() {
    const first = this.heard.shift();
    return first ? Promise.resolve(first) : new Promise((take) => this.waiting.push(take));
  }

  async nextText() {
    return JSON.parse((await this.next()).text).content;
  }

  leave() {
    return this.mqtt.endAsync();
  }

  fallOff() {
    this.mqtt.stream.destroy();
  }
}

async function wrongToken() {
  const token = scene.token;
  scene.token = 'hearth_app_AAAA';
  await assert.rejects(Client.come('intruder'), /not authorized|bad user/i);
  scene.token = token;
}

async function eachQos(reader, writer) {
  for (const qos of [0, 1, 2]) {
    await writer.publish(scene.inlet, `qos ${qos}`, qos);
    assert.equal(await reader.nextText(), `qos ${qos}`);
  }
}

async function will(reader) {
  (await Client.come('faller', { will: 'fell off' })).fallOff();
  assert.equal(await reader.nextText(), 'fell off');
}

async function persistentSession(writer) {
  const sleeper = new Client('sleeper', { clean: false });
  assert.equal(await sleeper.connected, false);
  await sleeper.subscribe(scene.outlet, 1);
  await sleeper.leave();
  for (const text of ['one', 'two']) await writer.publish(scene.inlet, text, 1);
  const awake = new Client('sleeper', { clean: false });
  assert.equal(await awake.connected, true);
  assert.deepEqual([await awake.nextText(), await awake.nextText()], ['one', 'two']);
  await awake.leave();
}

async function retained(writer) {
  await writer.publish(scene.plain, 'kept', 1, true);
  const late = await Client.come('late');
  await late.subscribe(scene.plain, 1);
  assert.deepEqual(await late.next(), { text: 'kept', retain: true });
  await writer.publish(scene.plain, '', 1, true);
  assert.equal((await late.next()).text, '');
  const later = await Client.come('later');
  await later.subscribe(scene.plain, 1);
  await writer.publish(scene.plain, 'new', 1);
  assert.deepEqual(await later.next(), { text: 'new', retain: false });
  await Promise.all([late.leave(), later.leave()]);
}

await wrongToken();
const reader = await Client.come('reader');
const writer = await Client.come('writer');
await reader.subscribe(scene.outlet, 1);
await eachQos(reader, writer);
await will(reader);
await persistentSession(writer);
await retained(writer);
await Promise.all([reader.leave(), writer.leave()]);
