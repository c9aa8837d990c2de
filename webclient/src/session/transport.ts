// What a connection needs of MQTT: one link at a time, its refusals told by their code.
import type { Id } from '../protocol/ids';

/** The box said no: `code` as in REST, from the reason string `code: sentence`. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: string;
  /** MQTT 5 reason code. */
  readonly reason: number;

  constructor(reason: number, text: string) {
    const [, code, sentence] = /^([a-z0-9_]+): (.*)$/s.exec(text) ?? [];
    super(sentence ?? (text === '' ? `refused with 0x${reason.toString(16)}` : text));
    this.code = code ?? `mqtt_${reason.toString(16)}`;
    this.reason = reason;
  }
}

/** The link broke, or never came about. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
}

/** MQTT 5 reason codes that decide something here. */
export const REASON = {
  badLogin: 0x86,
  notAuthorized: 0x87,
  takenOver: 0x8e,
  quota: 0x97,
} as const;

export interface LinkLogin {
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
}

export interface LinkEvents {
  message(topic: string, payload: Uint8Array): void;
  /** Once, after `open` has resolved. `Refused` when the box said why. */
  lost(why: Refused | LinkLost): void;
}

export interface Subscriptions {
  readonly me: Id;
  /** Where each room's history is known up to. */
  readonly after: readonly (readonly [room: Id, position: number])[];
}

export interface Link {
  /** Resolves when the box has stored it; rejects with Refused or LinkLost. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /** What is only worth something now: sent at most once, unanswered. */
  tell(topic: string, payload: Uint8Array): void;
  close(): void;
}

export interface Transport {
  /** Connects, then subscribes to what is known by then; rejects with Refused or LinkLost. */
  open(
    login: LinkLogin,
    subscriptions: () => Promise<Subscriptions>,
    events: LinkEvents,
  ): Promise<Link>;
}
