// /api/ws with two clients that others wrote: Chromium's WebSocket and Python's `websockets`. Each
// hears what the other writes, and what is posted over REST and MQTT.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { House, binary, openChromium, person } from './house.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const python = join(root, 'target/python/bin/python');
const secret = 'correct horse';
let browser, house, anna, ben, room;

async function call(method, path, token, body) {
  const headers = { 'content-type': 'application/json' };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(`http://${house.http}/api${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const reply = answer.status === 204 ? null : await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(reply)}`);
  return reply;
}

async function account(name) {
  const args = ['--data', house.data, 'user', 'add', name, '--password-stdin'];
  const made = spawnSync(binary(), args, { input: `${secret}\n` });
  assert.equal(made.status, 0, String(made.stderr));
  const { token } = await call('POST', '/auth/login', undefined, { username: name, password: secret });
  return token;
}

before(async () => {
  assert.ok(existsSync(python), `${python}: run scripts/setup test first`);
  browser = await openChromium();
  house = await new House().start();
  [anna, ben] = [await account('anna'), await account('ben')];
  const made = { name: 'Kitchen', type: 'public', sealing: 'open' };
  room = (await call('POST', '/rooms', anna, made)).id;
  await call('POST', `/rooms/${room}/join`, ben);
});

after(async () => {
  await browser?.close();
  await house?.end();
});

/** Opens a WebSocket in the page; what it hears waits in `window.heard`. */
async function connect(page, token, first) {
  return page.evaluate(
    async ([token, first]) => {
      window.heard = [];
      window.socket = new WebSocket(`ws://${location.host}/api/ws`, ['hearth.v1', `bearer.${token}`]);
      window.socket.onmessage = ({ data }) => window.heard.push(JSON.parse(data));
      window.goodbye = new Promise((resolve) => (window.socket.onclose = ({ code }) => resolve(code)));
      await new Promise((resolve, reject) => {
        window.socket.onopen = resolve;
        window.socket.onerror = () => reject(new Error('not let in'));
      });
      window.socket.send(JSON.stringify(first));
      return window.socket.protocol;
    },
    [token, first],
  );
}

/** Waits until the page has heard this message. */
async function hears(page, content) {
  const has = (content) =>
    window.heard.some(({ type, message }) => type === 'message_created' && message.content === content);
  await page.waitForFunction(has, content);
}

test('Chromium and Python hear each other, REST and MQTT', async () => {
  const { page, complaints } = await person(browser);
  await page.goto(`http://${house.http}/`);
  const join_ = { type: 'join_room', ref: 1, room_id: room };
  assert.equal(await connect(page, anna, join_), 'hearth.v1');
  const { position } = await page.waitForFunction(
    () => window.heard.find(({ type }) => type === 'ack'),
  ).then((found) => found.jsonValue());
  await call('POST', `/rooms/${room}/messages`, anna, { content: 'missed' });
  const told = { url: `ws://${house.http}/api/ws`, token: ben, room, after: position };
  const other = run(python, [join(root, 'tests/interop/websockets_client.py'), JSON.stringify(told)]);
  await page.waitForFunction(() => window.heard.some(({ type }) => type === 'user_typing'));
  await hears(page, 'from Python: é 🔥');
  const [host, port] = house.mqtt.split(':');
  const topic = `hearth/rooms/${room}/in`;
  await run('mosquitto_pub', [
    '-h', host, '-p', port, '-u', 'ben', '-P', ben, '-q', '1', '-t', topic, '-m', 'by MQTT',
  ]);
  await hears(page, 'by MQTT');
  await page.evaluate((room) => {
    const message = { type: 'send_message', ref: 2, room_id: room, content: 'from the browser' };
    window.socket.send(JSON.stringify(message));
  }, room);
  const { stdout } = await other;
  assert.equal(stdout.trim(), 'done');
  const { messages } = await call('GET', `/rooms/${room}/messages`, ben);
  const written = messages.filter(({ kind }) => kind === 'text').map(({ content }) => content);
  assert.deepEqual(written, ['missed', 'from Python: é 🔥', 'by MQTT', 'from the browser']);
  await call('POST', '/auth/logout', anna);
  assert.equal(await page.evaluate(() => window.goodbye), 1008);
  assert.deepEqual(complaints, []);
});
