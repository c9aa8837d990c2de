// An open room with many messages, written through REST as the person of a page.

/** Follows a page's requests; gives its bearer token. */
export function tokenOf(page) {
  let token = '';
  page.on('request', (request) => {
    const sent = request.headers()['authorization'];
    if (sent?.startsWith('Bearer ')) token = sent;
  });
  return () => token;
}

async function ask(house, token, method, path, body) {
  const response = await fetch(`http://${house.http}${path}`, {
    method,
    headers: { authorization: token, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** A new open room; its maker is in it. */
export async function makeOpenRoom(page, name) {
  const button = page.getByRole('button', { name: 'New room' });
  if (!(await button.isVisible())) await page.getByRole('button', { name: /^Back|^Rooms/ }).first().click();
  await button.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByText('Everybody in the house').click();
  await dialog.getByText('The box can read it too').click();
  await dialog.getByRole('button', { name: 'Make the room' }).click();
  await page.getByRole('heading', { name }).waitFor();
}

export async function roomOf(house, token, name) {
  const { rooms } = await ask(house, token, 'GET', '/api/rooms');
  return rooms.find((room) => room.name === name).id;
}

/** Writes `count` messages, "note 1" on, of one to five lines; `each` changes one. */
export async function fill(house, token, room, count, each = (event) => event) {
  const posting = 20;
  for (let from = 1; from <= count; from += posting) {
    const some = Array.from({ length: Math.min(posting, count - from + 1) }, (_, n) => from + n);
    for (const n of some) {
      const content = [`note ${n}`, ...Array(n % 5).fill('and another line of it')].join('\n');
      await ask(house, token, 'POST', `/api/rooms/${room}/messages`, each({ content }, n));
    }
  }
}

/** Writes one message into a room. */
export const post = (house, token, room, content) =>
  ask(house, token, 'POST', `/api/rooms/${room}/messages`, { content });

const AT_ONCE = 25;

/** As `fill`, from "note `from`" on, many at once: the last of them is the last in the room. */
export async function fillFast(house, token, room, count, from = 1) {
  const last = from + count - 1;
  for (let n = from; n < last; n += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, last - n) }, (_, k) => n + k);
    await Promise.all(some.map((one) =>
      post(house, token, room, [`note ${one}`, ...Array(one % 4).fill('a line of *it*')].join('\n'))));
  }
  await post(house, token, room, `note ${last}`);
}
