import type { Clock } from '../../clock.ts';
import type { Answer, Link } from '../../redis/link.ts';
import { LinkDown } from '../../redis/link.ts';
import { PRESENCE_SCRIPT } from './script.ts';

/** What a replica learns from the server when it announces itself. */
export interface Seen {
  /** The offset from this machine's clock to the server's, milliseconds. */
  offsetMs: number;
  /** Whether that is known. */
  timed: boolean;
  /** The number of replicas, including this one. */
  replicas: number;
}

export interface PresenceOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly replica: string;
  /** The smallest number of replicas to assume. */
  readonly replicas: number;
}

/** A replica that is silent for this long no longer counts as one, milliseconds. */
const GONE_MS = 5_000;

/** Announces a replica to the others, and learns their number and the server's time. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #seen: Seen;
  /** The tolerance for the offset of the server's clock, milliseconds. */
  #clockErrorMs = Infinity;

  /** @param seen is updated */
  constructor(options: PresenceOptions, seen: Seen) {
    this.#options = options;
    this.#seen = seen;
  }

  /** Announces that this replica exists or leaves. Never rejects. */
  async announce(what: 'is there' | 'leaves'): Promise<void> {
    const { link, clock, replica, replicas } = this.#options;
    if (!link.up) return;
    const sentMs = clock.now();
    try {
      const args = [replica, String(GONE_MS), what];
      const [count, serverMs] = await link.run(PRESENCE_SCRIPT, 'llmproxy:{replicas}', args, presenceOf);
      this.#seen.replicas = Math.max(replicas, count, 1);
      this.#compareClocks(serverMs, sentMs, clock.now());
    } catch (thrown) {
      if (!(thrown instanceof LinkDown)) throw thrown;
    }
  }

  /** Adopts an offset of the server's clock, unless the known one is more exact and agrees with it. */
  #compareClocks(serverMs: number, sentMs: number, nowMs: number): void {
    const offsetMs = serverMs - (sentMs + nowMs) / 2;
    const errorMs = Math.max(0, nowMs - sentMs) / 2;
    // Clocks drift.
    this.#clockErrorMs = 1.05 * this.#clockErrorMs + 0.1;
    const agrees = Math.abs(offsetMs - this.#seen.offsetMs) <= errorMs;
    if (this.#seen.timed && agrees && errorMs > this.#clockErrorMs) return;
    this.#clockErrorMs = errorMs;
    this.#seen.offsetMs = offsetMs;
    this.#seen.timed = true;
  }
}

/** @throws Error when it is not a reply of the script */
function presenceOf(answer: Answer): [number, number] {
  if (!Array.isArray(answer)) throw new Error('Cannot read the answer of the server: it is not a list');
  const [count, serverMs] = answer as readonly Answer[];
  return [Number(count), Number(serverMs)];
}
