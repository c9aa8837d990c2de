// What the application is made from: everything that touches the world comes in here.
import type { Api } from '../api/api';
import type { DraftStore } from '../local/drafts';
import type { HistoryStore } from '../local/history';
import type { KeyStore } from '../local/keys';
import type { LookStore } from '../local/looks';
import type { LoginStore } from '../local/login';
import type { OutboxStore } from '../local/outbox';
import type { Fetch } from '../api/http';
import type { Cost } from '../protocol/cost';
import type { Safe } from '../local/safe';
import type { Search } from '../local/search_index';
import type { SearchStore } from '../local/search_store';
import type { Shelf } from '../local/shelf';
import type { TrayStore } from '../local/tray_store';
import type { Chance, Clock } from '../session/clock';
import type { Leadership } from '../session/leader';
import type { Transport } from '../session/transport';
import type { FileWork } from '../sealing/file_work';
import type { Sealing } from '../sealing/requests';
import type { Entry } from './model';
import type { TokenSource } from './tokens';

export interface Network {
  online(): boolean;
  /** Calls when the network comes or goes. */
  onChange(run: () => void): void;
}

/** Whether somebody can see the page at all. */
export interface Attention {
  seen(): boolean;
  onChange(run: () => void): void;
  /** Resolves when what is to be seen by now was drawn, or soon if nobody looks. */
  drawn(): Promise<void>;
}

export interface AppDeps {
  readonly entry: Entry;
  /** `https://host:port`, for links; the host for the lines that devices paste. */
  readonly origin: string;
  readonly hostname: string;
  /** What new passwords cost to stretch. */
  readonly cost: Cost;
  /** What the list of logins calls this browser. */
  readonly label: string;
  readonly fetch: Fetch;
  readonly transport: Transport;
  readonly sealing: Sealing;
  readonly fileWork: FileWork;
  readonly shelf: Shelf;
  readonly safe: Safe;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly random: (length: number) => Uint8Array;
  readonly leadership: Leadership;
  readonly network: Network;
  readonly attention: Attention;
  readonly search: Search;
}

/** The same with what is built upon it. */
export interface Parts extends AppDeps {
  readonly api: Api;
  readonly tokens: TokenSource;
  readonly login: LoginStore;
  readonly outboxStore: OutboxStore;
  readonly history: HistoryStore;
  readonly keyStore: KeyStore;
  readonly drafts: DraftStore;
  readonly looks: LookStore;
  readonly trayStore: TrayStore;
  readonly searchStore: SearchStore;
}
