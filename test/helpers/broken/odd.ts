/** Scripts of unusual answers: some of them valid, others not. */
import { gzipSync } from 'node:zlib';
import type { Script } from './scripts.ts';
import type { Turn } from './turn.ts';
import { fine, GAP_MS, pieces } from './scripts.ts';

/** A complete answer in one piece of text. */
function wholeText({ stream, wire, text }: Turn): string {
  if (!stream) return wire.whole(text);
  return wire.opening + pieces(text).map(wire.piece).join('') + wire.closing + wire.terminator;
}

export const ODD: Readonly<Record<string, Script>> = {
  /** Sends informational headers first. */
  'early-hints': async (turn) => {
    await turn.raw('HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n');
    await fine(turn);
  },
  /** Compresses the answer, although the client did not ask for that. */
  gzip: async (turn) => {
    await turn.head({ headers: { 'content-encoding': 'gzip' } });
    await turn.send(gzipSync(wholeText(turn)));
    await turn.end();
  },
  /** Ends lines with CRLF, omits the space before values, and sends comments in between. */
  crlf: async (turn) => {
    if (!turn.stream) return await fine(turn);
    await turn.head();
    await turn.send(
      `: hello\r\n\r\n${wholeText(turn).replaceAll('\n', '\r\n').replaceAll('data: ', 'data:')}`,
    );
    await turn.end();
  },
  /** Sends an unstreamed answer, even if a stream was requested. */
  unstreamed: (turn) => turn.answer(200, turn.wire.whole(turn.text), { 'content-type': 'application/json' }),

  /** Ends one of two choices and not the other. */
  'half-of-two': async (turn) => {
    if (!turn.stream || turn.attempt.protocol !== 'openai') return await fine(turn);
    await turn.head();
    const second = (event: string) => event.replace('"index":0', '"index":1');
    await turn.send(turn.wire.opening + second(turn.wire.opening));
    await turn.send(turn.wire.piece('One.') + second(turn.wire.piece('Two, but')) + turn.wire.closing);
    await turn.sleep(GAP_MS);
    await turn.end();
  },

  'gzip-broken': async (turn) => {
    await turn.head({ headers: { 'content-encoding': 'gzip' } });
    await turn.send('this is no gzip');
    await turn.end();
  },
  /** Answers with any status, and a message without information. */
  status: (turn) =>
    turn.answer(Number(turn.argument), JSON.stringify({ error: { message: 'Not here', type: null } }), {
      'content-type': 'application/json',
    }),
  redirect: (turn) => turn.answer(302, '', { location: 'https://example.invalid/sign-in' }),
  /** Answers as a gateway in front of the provider does. */
  '520-html': (turn) =>
    turn.answer(520, `<html><title>520: Web server error</title>${'<br>'.repeat(2_000)}</html>`, {
      'content-type': 'text/html',
    }),
  /** Sends the end of a stream, and nothing before it. */
  'done-only': async (turn) => {
    if (!turn.stream) return await turn.answer(200, '{}');
    await turn.head();
    await turn.send(turn.wire.terminator);
    await turn.end();
  },
  garbage: async (turn) => {
    await turn.head();
    await turn.send('data: what?\n\n'.repeat(5) + (turn.stream ? turn.wire.terminator : ''));
    await turn.end();
  },
  /** Sends empty deltas. */
  'empty-deltas': async (turn) => {
    await turn.head();
    await turn.send(turn.wire.opening);
    while (!turn.over) {
      await turn.send(turn.wire.piece(''));
      await turn.sleep(20);
    }
  },
  /** Sends headers for ever. */
  'header-flood': async (turn) => {
    await turn.raw('HTTP/1.1 200 OK\r\n');
    while (!turn.over) {
      await turn.raw(`x-flood: ${'x'.repeat(1_000)}\r\n`);
      await turn.sleep(1);
    }
  },
};
