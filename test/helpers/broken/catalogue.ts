/**
 * The faults of a broken provider. A model name selects one: `fault[:argument][-xN][#label]`. `-xN` applies it N times
 * and then answers without a fault, `-afterN` answers N times without a fault first. Names that differ only in their
 * labels are different models with the same fault, each counted separately.
 */
import type { ErrorName } from './errors.ts';
import type { Script } from './scripts.ts';
import { CONTINUING } from './continuing.ts';
import { ENDING } from './endings.ts';
import { ERRORS } from './errors.ts';
import { LIMITED } from './limited.ts';
import { ODD } from './odd.ts';
import { fine, GAP_MS, half, inside, late, named, otherHalf, unterminated } from './scripts.ts';

const statuses = Object.fromEntries(
  Object.keys(ERRORS).map((name): [string, Script] => [name, (turn) => turn.error(name as ErrorName)]),
);

export const CATALOGUE: Readonly<Record<string, Script>> = {
  /** Says the text after the colon. */
  say: fine,

  // Faults before the headers.
  reset: (turn) => turn.reset(),
  fin: (turn) => turn.fin(),
  silent: (turn) => turn.stay(),
  'half-header': async (turn) => {
    await turn.raw('HTTP/1.1 200 OK\r\ncontent-ty');
    await turn.sleep(GAP_MS);
    turn.fin();
  },
  'not-http': async (turn) => {
    await turn.raw('SSH-2.0-OpenSSH_9.9\r\n\r\n');
    turn.fin();
  },
  /** Behaves as a provider that closed an idle connection just when it was used again. */
  stale: (turn) => (turn.ordinal > 1 ? turn.fin() : fine(turn)),
  'stale-reset': (turn) => (turn.ordinal > 1 ? turn.reset() : fine(turn)),

  // Slow answers.
  'headers-only': async (turn) => {
    await turn.head();
    await turn.stay();
  },
  late: late(async () => undefined),
  'late-comments': late((turn) => turn.send(turn.stream ? turn.wire.pause : ' ')),
  /** Sends the role, which is not content, then nothing. */
  'role-only': async (turn) => {
    await turn.head();
    await turn.send(turn.stream ? turn.wire.opening : ' ');
    await turn.stay();
  },
  stall: async (turn) => {
    await half(turn);
    await turn.stay();
  },
  /** Sends keep-alive comments only, as Anthropic does while a model thinks. */
  'stall-comments': async (turn) => {
    await half(turn);
    while (!turn.over) {
      await turn.send(turn.stream ? turn.wire.pause : ' ');
      await turn.sleep(50);
    }
  },
  /** Sends one byte per second, or at the interval in milliseconds given in the name. */
  trickle: async (turn) => {
    const { wire, text } = turn;
    const stream = wire.opening + wire.piece(text) + wire.closing + wire.terminator;
    await turn.head();
    for (const byte of Buffer.from(turn.stream ? stream : wire.whole(text))) {
      await turn.send(Uint8Array.of(byte));
      await turn.sleep(Number(turn.argument || 1_000));
      if (turn.over) return;
    }
    await turn.end();
  },
  /** Sends a word at the interval in milliseconds given in the name, for ever. */
  ticking: async (turn) => {
    await turn.head();
    await turn.send(turn.stream ? turn.wire.opening : '{"id":"');
    while (!turn.over) {
      await turn.send(turn.stream ? turn.wire.piece('tick ') : 'x');
      await turn.sleep(Number(turn.argument || 100));
    }
  },

  // Streams that are cut after content.
  'cut-fin': async (turn) => {
    await half(turn, 'close');
    turn.fin();
  },
  'cut-reset': async (turn) => {
    await half(turn);
    turn.reset();
  },
  'cut-chunk': async (turn) => {
    await half(turn);
    turn.fin();
  },
  'cut-clean': async (turn) => {
    await half(turn);
    await turn.end();
  },
  'half-event': async (turn) => {
    await half(turn, 'close');
    await turn.send(turn.wire.piece('never').slice(0, 30));
    turn.fin();
  },
  /** Is cut in the middle of a tool call's arguments. */
  'tool-cut': async (turn) => {
    if (!turn.stream) return await fine(turn);
    await half(turn, 'close');
    await turn.send(turn.wire.toolCall('{"city": "Ber'));
    await turn.sleep(GAP_MS);
    turn.fin();
  },
  /** Is cut after signed reasoning and a word. */
  'thinking-cut': async (turn) => {
    if (!turn.stream) return await fine(turn);
    await turn.head({ framing: 'close' });
    await turn.send(turn.wire.opening + turn.wire.thinking + turn.wire.piece('So '));
    await turn.sleep(GAP_MS);
    turn.fin();
  },

  // Answers that break the protocol, but are complete.
  malformed: async (turn) => {
    await half(turn);
    await turn.send(turn.stream ? turn.wire.malformed : '');
    await otherHalf(turn);
    await turn.send(turn.stream ? turn.wire.terminator : '}}');
    await turn.end();
  },
  'malformed-cut': async (turn) => {
    await half(turn);
    await turn.send(turn.stream ? turn.wire.malformed : '}}');
    await turn.end();
  },
  'no-done': async (turn) => {
    await unterminated(turn, 'close');
    turn.fin();
  },
  'no-done-open': async (turn) => {
    await unterminated(turn, 'chunked');
    await turn.stay();
  },
  'done-open': async (turn) => {
    await unterminated(turn, 'chunked');
    await turn.send(turn.stream ? turn.wire.terminator : '');
    await turn.stay();
  },

  // Errors inside a 200; the argument names the error.
  'error-first': inside(named),
  /** Sends an error after events without content, as OpenAI's Responses API does. */
  'error-opened': async (turn) => {
    if (!turn.stream) return await inside(named)(turn);
    await turn.head();
    await turn.send(turn.wire.opening + turn.wire.errorEvent(ERRORS[named(turn)]));
    await turn.end();
  },
  'error-later': async (turn) => {
    if (!turn.stream) return await inside(named)(turn);
    await half(turn);
    await turn.send(turn.wire.errorEvent(ERRORS[named(turn)]));
    await turn.end();
  },
  'error-json': (turn) =>
    turn.answer(200, turn.wire.errorBody(ERRORS[named(turn)]), { 'content-type': 'application/json' }),
  html: (turn) =>
    turn.answer(200, '<!doctype html><title>Sign in</title><body>Welcome to the hotel</body>', {
      'content-type': 'text/html',
    }),
  empty: (turn) => turn.answer(200, ''),

  // Error statuses; the argument of a 429 is a number of seconds.
  ...statuses,
  ...LIMITED,

  // Faults that depend on the key that was sent.
  'bad-key': (turn) => {
    const { authorization = '', 'x-api-key': key = '' } = turn.attempt.headers;
    return (authorization + key).includes('bad') ? turn.error('401') : fine(turn);
  },

  // Answers without limits.
  endless: async (turn) => {
    const piece = 'more '.repeat(3_000);
    await turn.head();
    await turn.send(turn.stream ? turn.wire.opening : '{"id":"');
    while (!turn.over) {
      await turn.send(turn.stream ? turn.wire.piece(piece) : piece);
      await turn.sleep(0);
    }
  },
  /** An answer of 8 MiB. */
  huge: async (turn) => {
    const { wire, stream } = turn;
    const word = 'x'.repeat(64 * 1024);
    if (!stream) return await turn.answer(200, wire.whole(word.repeat(128)));
    await turn.head();
    await turn.send(wire.opening);
    for (let n = 0; n < 128; n += 1) await turn.send(wire.piece(word));
    await turn.send(wire.closing + wire.terminator);
    await turn.end();
  },
  /** Fails at every second attempt. */
  flapping: (turn) => (turn.count % 2 === 1 ? turn.error('500') : fine(turn)),

  ...ODD,
  ...ENDING,

  // Second targets of a stream that was cut.
  ...CONTINUING,
};

export interface Selected {
  readonly fault: string;
  readonly argument: string;
  /** Whether the n-th attempt meets it, from 1. */
  readonly meets: (n: number) => boolean;
}

const FINE: Selected = { fault: 'fine', argument: '', meets: () => true };

/** The fault that a model name selects; `fine` if it names none of the catalogue. */
export function select(model: string): Selected {
  const [, fault = '', argument = '', when, digits] =
    /^([\w.-]+?)(?::([^#]*?))?(?:-(x|after)(\d+))?(?:#.*)?$/s.exec(model) ?? [];
  if (!Object.hasOwn(CATALOGUE, fault)) return FINE;
  const times = Number(digits);
  if (when === 'x') return { fault, argument, meets: (n) => n <= times };
  if (when === 'after') return { fault, argument, meets: (n) => n > times };
  return { fault, argument, meets: () => true };
}
