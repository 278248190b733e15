import type { Config } from '../config/schema.ts';
import { claimState } from '../limits/shared-keeper.ts';
import { keepsState } from '../spending.ts';
import { claimStored } from '../stored/claim.ts';

/** The state directory that workers share, claimed by their parent as soon as there is something to persist. */
export class ClaimedState {
  #release: (() => void) | undefined;
  #releaseStored: (() => void) | undefined;

  /** @throws Error when it cannot be claimed */
  claimFor(config: Config): void {
    this.#claimStored(config);
    if (this.#release || !keepsState(config)) return;
    const { directory } = config.state;
    try {
      this.#release = claimState(directory);
    } catch (thrown) {
      const state = thrown instanceof Error ? thrown.message : String(thrown);
      throw new Error(`Cannot persist usage in ${directory} (state.directory): ${state}`, {
        cause: thrown,
      });
    }
  }

  release(): void {
    this.#release?.();
    this.#releaseStored?.();
  }

  #claimStored({ responses, state: { directory } }: Config): void {
    if (this.#releaseStored || responses.store === 'never') return;
    try {
      this.#releaseStored = claimStored(directory);
    } catch {
      // Workers that cannot use the file report it, and store in memory.
      this.#releaseStored = () => undefined;
    }
  }
}
