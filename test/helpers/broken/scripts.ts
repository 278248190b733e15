/** The building blocks of the catalogue. */
import type { ErrorName } from './errors.ts';
import type { Framing, Turn } from './turn.ts';
import { ERRORS } from './errors.ts';

export type Script = (turn: Turn) => void | Promise<void>;

/** Long enough for what was sent before to be read separately, even on a busy machine. */
export const GAP_MS = 150;

/** An answer without a fault. */
export async function fine(turn: Turn): Promise<void> {
  const { wire, text } = turn;
  if (!turn.stream) return await turn.answer(200, wire.whole(text));
  await turn.head();
  await turn.send(wire.opening);
  for (const piece of pieces(text)) await turn.send(wire.piece(piece));
  await turn.send(wire.closing + wire.terminator);
  await turn.end();
}

/** Words with the spaces that follow them. */
export function pieces(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** The head and the first half of an answer; the other side reads them before anything else happens. */
export async function half(turn: Turn, framing: Framing = 'chunked'): Promise<void> {
  const { wire, text } = turn;
  if (turn.stream) {
    const all = pieces(text);
    await turn.head({ framing });
    await turn.send(wire.opening);
    for (const piece of all.slice(0, all.length / 2)) await turn.send(wire.piece(piece));
  } else {
    const whole = wire.whole(text);
    await turn.head({ framing: framing === 'close' ? { length: Buffer.byteLength(whole) } : framing });
    await turn.send(whole.slice(0, whole.length / 2));
  }
  await turn.sleep(GAP_MS);
}

/** The second half of an answer that `half` began. */
export async function otherHalf(turn: Turn): Promise<void> {
  const { wire, text } = turn;
  const all = pieces(text);
  const whole = wire.whole(text);
  if (!turn.stream) return await turn.send(whole.slice(whole.length / 2));
  for (const piece of all.slice(all.length / 2)) await turn.send(wire.piece(piece));
  await turn.send(wire.closing);
}

/** A stream without its end marker. An unstreamed answer has no such marker. */
export async function unterminated(turn: Turn, framing: Framing): Promise<void> {
  await turn.head({ framing });
  const { wire, text } = turn;
  await turn.send(turn.stream ? wire.opening + wire.piece(text) + wire.closing : wire.whole(text));
}

/** Sends content after a while, or after the milliseconds given in the name. */
export const late =
  (meanwhile: (turn: Turn) => Promise<void>): Script =>
  async (turn) => {
    const { wire, text } = turn;
    const whole = wire.whole(text);
    await turn.head({ framing: turn.stream ? 'chunked' : { length: Buffer.byteLength(whole) } });
    const untilMs = performance.now() + Number(turn.argument || 1_000);
    while (performance.now() < untilMs && !turn.over) {
      await meanwhile(turn);
      await turn.sleep(20);
    }
    await turn.send(turn.stream ? wire.opening + wire.piece(text) + wire.closing + wire.terminator : whole);
    await turn.end();
  };

/** An error in an answer with status 200, as an event or as the body. */
export const inside =
  (name: (turn: Turn) => ErrorName): Script =>
  async (turn) => {
    const error = ERRORS[name(turn)];
    if (!turn.stream) return await turn.answer(200, turn.wire.errorBody(error));
    await turn.head();
    await turn.send(turn.wire.errorEvent(error));
    await turn.end();
  };

/** The error that the argument names; 503 by default. */
export const named = ({ argument }: Turn): ErrorName =>
  argument in ERRORS ? (argument as ErrorName) : '503';
