// Alerts outside the page: the system's notifications while nobody looks, the number on the icon.
import type { Alert, PeopleDesk } from '../../state/people_model';
import { words } from '../words/catalogue.svelte';

const stored = 'hearth.alerts';

/** `none`: this browser or this page cannot; `denied`: the browser was told never to. */
export type AlertState = 'none' | 'denied' | 'off' | 'on';

function stateNow(): AlertState {
  if (!('Notification' in window) || !isSecureContext) return 'none';
  if (Notification.permission === 'denied') return 'denied';
  const wanted = localStorage.getItem(stored) === 'on';
  return wanted && Notification.permission === 'granted' ? 'on' : 'off';
}

export class Alerts {
  state = $state<AlertState>(stateNow());
  readonly #people: PeopleDesk;
  readonly #go: (room: string, message: string) => void;

  constructor(people: PeopleDesk, go: (room: string, message: string) => void) {
    this.#people = people;
    this.#go = go;
  }

  /** By a tap only: the browser asks the person. */
  async turn(on: boolean): Promise<void> {
    if (on && Notification.permission === 'default') await Notification.requestPermission();
    localStorage.setItem(stored, on ? 'on' : 'off');
    this.state = stateNow();
  }

  /** Until the returned function is called. */
  listen(): () => void {
    return this.#people.onAlert((alert) => this.#show(alert));
  }

  #show({ kind, room, roomName, message, by, text }: Alert): void {
    if (this.state !== 'on' || document.visibilityState === 'visible') return;
    const t = words().notices;
    const title =
      kind === 'mention' ? t.mention(by.displayName, roomName) : t.direct(by.displayName);
    const shown = new Notification(title, { body: text, tag: room });
    shown.onclick = () => {
      window.focus();
      this.#go(room, message);
      shown.close();
    };
  }

  /** The number on the installed page's icon, where the system shows one. */
  badge(unread: number): void {
    if (!('setAppBadge' in navigator)) return;
    // A page that is not installed has no icon: nothing to tell the person.
    const told = unread > 0 ? navigator.setAppBadge(unread) : navigator.clearAppBadge();
    told.catch(() => undefined);
  }
}
