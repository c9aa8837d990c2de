// The settings of the house in a form: read, changed, written back unless somebody was quicker.
import type { Administration, HouseSettings } from '../../state/administration_model';
import { Attempt } from '../attempt.svelte';

export class SettingsDraft {
  readonly attempt = new Attempt();
  readonly #desk: Administration;
  /** What the form holds; null until it is read. */
  now = $state<HouseSettings | null>(null);
  saved = $state(false);

  constructor(desk: Administration) {
    this.#desk = desk;
  }

  async load(): Promise<void> {
    this.now = (await this.attempt.run(() => this.#desk.settings())) ?? this.now;
  }

  change(change: Partial<HouseSettings>): void {
    this.saved = false;
    if (this.now !== null) this.now = { ...this.now, ...change };
  }

  async save(): Promise<void> {
    const { now, attempt } = this;
    if (now === null) return;
    const after = await attempt.run(() => this.#desk.changeSettings(now));
    if (after !== undefined) {
      this.now = after;
      this.saved = true;
    } else if (attempt.problem?.code === 'changed_meanwhile') {
      this.now = await this.#desk.settings().catch(() => now);
    }
  }
}
