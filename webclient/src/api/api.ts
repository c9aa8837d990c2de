// Everything the box offers under /api, by resource.
import { AttachmentsApi } from './attachments';
import { AccountApi } from './account';
import { AuthApi } from './auth';
import { ContactsApi } from './contacts';
import { DevicesApi } from './devices';
import { Http, type Fetch, type Tokens } from './http';
import { InvitesApi } from './invites';
import { MessagesApi } from './messages';
import { NotificationsApi } from './notifications';
import { OrderApi } from './order';
import { RoomsApi } from './rooms';
import { UsersApi } from './users';

export interface Api {
  readonly auth: AuthApi;
  readonly account: AccountApi;
  readonly users: UsersApi;
  readonly rooms: RoomsApi;
  readonly messages: MessagesApi;
  readonly invites: InvitesApi;
  readonly devices: DevicesApi;
  readonly contacts: ContactsApi;
  readonly notifications: NotificationsApi;
  readonly order: OrderApi;
  readonly attachments: AttachmentsApi;
  /** For the parts that are loaded when they are needed. */
  readonly http: Http;
}

export function createApi(fetch: Fetch, tokens: Tokens): Api {
  const http = new Http(fetch, tokens);
  return {
    auth: new AuthApi(http),
    account: new AccountApi(http),
    users: new UsersApi(http),
    rooms: new RoomsApi(http),
    messages: new MessagesApi(http),
    invites: new InvitesApi(http),
    devices: new DevicesApi(http),
    contacts: new ContactsApi(http),
    notifications: new NotificationsApi(http),
    order: new OrderApi(http),
    attachments: new AttachmentsApi(http),
    http,
  };
}
