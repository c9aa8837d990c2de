// Reports of messages, and what is decided about them.
import type { Report, ReportsApi } from '../api/reports';
import { parseEvent } from '../protocol/event';
import { parseId, type Id } from '../protocol/ids';
import { isRefusal } from '../sealing/refusal';
import type { EvidenceView, NewDecision, Page, ReportView, Ruling } from './administration_model';
import type { Home } from './home';
import { ProblemError } from './problem';

export class ReportQueue {
  readonly #home: Home;
  readonly #api: ReportsApi;

  constructor(home: Home, api: ReportsApi) {
    this.#home = home;
    this.#api = api;
  }

  async page(which: 'open' | 'decided', from: string | null): Promise<Page<ReportView>> {
    const { reports, next } = await this.#api.page(which, from === null ? null : parseId(from));
    await this.#meet(reports);
    return { items: reports.map((report) => this.#view(report)), next };
  }

  /** Those who are named in reports, and not known here yet. */
  async #meet(reports: readonly Report[]): Promise<void> {
    const { people, parts } = this.#home;
    people.learn(reports.flatMap(({ by }) => (by === null ? [] : [by])));
    const named = reports.flatMap(({ sender, decision }) => [sender, decision?.by ?? null]);
    const unknown = new Set(named.filter((id): id is Id => id !== null && !people.has(id)));
    people.learn(await Promise.all([...unknown].map((id) => parts.api.users.user(id))));
  }

  #view(report: Report): ReportView {
    const { people, rooms } = this.#home;
    const { id, by, sender, reason, message, decision } = report;
    const handle = rooms.get(report.room_id);
    const deleted = message !== null && message.deleted !== null && message.deleted !== undefined;
    return {
      id,
      by: by === null ? null : people.person(by.id),
      room: { id: report.room_id, name: handle?.room.name ?? null, here: handle !== null },
      message: report.message_id,
      sender: sender === null ? null : people.person(sender),
      reason,
      text: message === null || deleted ? null : message.content,
      deleted,
      hasEvidence: report.has_evidence,
      at: report.created_at,
      rulings: decision === null ? this.#rulings(report, deleted) : [],
      decision:
        decision === null
          ? null
          : {
              by: people.person(decision.by),
              upheld: decision.verdict === 'upheld',
              note: decision.note,
              at: decision.at,
            },
    };
  }

  /** What the box would not refuse, as far as it is known here. */
  #rulings({ sender, message, room_id }: Report, deleted: boolean): readonly Ruling[] {
    const handle = this.#home.rooms.get(room_id);
    const rulings: Ruling[] = ['dismiss', 'uphold'];
    const direct = handle?.room.type === 'direct';
    if (!deleted && !direct && (sender !== null || message !== null)) rulings.push('delete');
    if (sender === null || sender === this.#home.me || direct) return rulings;
    const theirs = handle?.company?.members.find(({ user }) => user.id === sender)?.role;
    if (theirs === 'owner') return rulings;
    rulings.push('mute');
    if (handle?.room.general !== true) rulings.push('kick', 'ban');
    return rulings;
  }

  /** What the reporter showed, opened with one's own key and judged by the writer's. */
  async evidence({ id, room, message, sender }: ReportView): Promise<EvidenceView> {
    const { keeper, parts } = this.#home;
    const { evidence } = await this.#api.one(parseId(id));
    if (evidence === null || sender === null) {
      throw new ProblemError('no_evidence', 'there is no evidence', '');
    }
    const about = {
      room: parseId(room.id),
      message: parseId(message),
      sender: parseId(sender.id),
    };
    await keeper.meet(about.sender);
    const pin = (await parts.sealing.pins()).get(about.sender) ?? 'unverified';
    try {
      const { proof, bodies } = await parts.sealing.readEvidence(evidence, about);
      return { proof, pin, ...said(bodies, about.message) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const hint = 'ask whoever reported it';
      throw new ProblemError('bad_evidence', 'what was shown does not open', hint, error);
    }
  }

  /** In a sealed room that one is in, a new key follows for who stays. */
  async decide({ id, room, sender }: ReportView, decision: NewDecision): Promise<void> {
    const { ruling, note, minutes } = decision;
    await this.#api.decide(parseId(id), { decision: ruling, note, minutes });
    const handle = this.#home.rooms.get(parseId(room.id));
    if (handle === null || handle.room.sealing === 'open' || sender === null) return;
    if (ruling !== 'kick' && ruling !== 'ban') return;
    const out = parseId(sender.id);
    await this.#home.keeper.rotate(handle.room.id, 'removed', (view) => view.members.includes(out));
  }
}

/** The texts of a shown message, the current one last; what does not read is no text. */
function said(bodies: readonly Uint8Array[], message: Id): Pick<EvidenceView, 'texts' | 'files'> {
  const texts: string[] = [];
  let files = 0;
  for (const bytes of bodies) {
    const { body } = parseEvent(bytes);
    if (body.type === 'message') {
      texts.push(body.content);
      files += body.attachments.length;
    } else if (body.type === 'edit' && body.target === message) {
      texts.push(body.content);
    }
  }
  return { texts, files };
}
