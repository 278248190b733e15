/** An upstream's answer before it is sent, and what it implies for the client's answer. */
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { Sound, Spoken } from './answers.ts';
import type { Node } from './tree.ts';
import { treeOf, writeTree } from './tree.ts';

interface EventDraft {
  name: string;
  /** JSON, or text that is sent as the event's data. */
  data: Node;
  /** Text that replaces the whole event. */
  raw?: string;
  /** Whether the event reports a failure. */
  failure?: true;
  /** What is wrong with a binary frame. */
  flaw?: 'crc' | 'prelude' | 'length' | 'headers';
}

export interface AnswerDraft {
  readonly spoken: Spoken;
  status: number;
  statusLine: string | undefined;
  headers: [name: string, value: string][];
  events: EventDraft[] | undefined;
  end: string;
  whole: Node | undefined;
  bytes: Buffer;
  /** The line ends of the events. */
  lineEnd: string;
  /** Changes to the text of the body. */
  readonly spoil: ((body: Buffer) => Buffer)[];
  readonly compress: ((body: Buffer) => Buffer)[];
  framing: 'chunked' | 'length' | 'close' | { readonly off: number };
  pace: 'once' | 'halves' | 'bytes' | 'pieces';
  /** The share of the body after which it breaks off, and how. */
  cut: { readonly at: number; readonly how: 'fin' | 'reset' | 'stall' } | undefined;
  /** Bytes before the status line, and after the answer. */
  before: string;
  behind: string;
  /** Whether all steps so far are ones that a client must not notice. */
  harmless: boolean;
  /** Whether it is used for the first attempt only. */
  once: boolean;
  /** Whether the replacement of an answer is an error by its own content. */
  failed: boolean;
}

/** What is sent, and what follows from that. */
export interface Plan {
  readonly head: Buffer;
  readonly pieces: readonly Buffer[];
  readonly close: boolean;
  readonly cut: AnswerDraft['cut'];
  readonly once: boolean;
  /** The body before it was compressed and cut. */
  readonly body: Buffer;
  /** Whether the client must receive all of it. */
  readonly sound: boolean;
  /** Why no client may be told that the answer is complete. */
  readonly unfinished: string | undefined;
  readonly text: string | undefined;
}

/** @param stream whether it is sent as events, if it has any */
export function draftAnswer(sound: Sound, stream: boolean): AnswerDraft {
  const { spoken, end, whole, bytes = Buffer.alloc(0) } = sound;
  const events = stream ? sound.events : undefined;
  const type = events
    ? spoken === 'converse'
      ? 'application/vnd.amazon.eventstream'
      : spoken === 'ollama'
        ? 'application/x-ndjson'
        : 'text/event-stream'
    : whole
      ? 'application/json'
      : 'audio/mpeg';
  return {
    spoken,
    status: 200,
    statusLine: undefined,
    headers: [['content-type', type]],
    events: events?.map(([name, data]) => ({ name, data: treeOf(data) })),
    end,
    whole: whole && treeOf(whole),
    bytes,
    lineEnd: '\n',
    spoil: [],
    compress: [],
    framing: events ? 'chunked' : 'length',
    pace: 'once',
    cut: undefined,
    before: '',
    behind: '',
    harmless: true,
    once: false,
    failed: false,
  };
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)),
  (given) => new TextEncoder().encode(given),
);

function frameOf({ name, data, raw, flaw }: EventDraft): Buffer {
  if (raw !== undefined) return Buffer.from(raw);
  const exception = name.endsWith('Exception');
  const frame = Buffer.from(
    codec.encode({
      headers: {
        ':message-type': { type: 'string', value: exception ? 'exception' : 'event' },
        [exception ? ':exception-type' : ':event-type']: { type: 'string', value: name },
        ':content-type': { type: 'string', value: 'application/json' },
      },
      body: new TextEncoder().encode(writeTree(data)),
    }),
  );
  if (flaw === 'crc') frame[frame.length - 1]! ^= 0xff;
  if (flaw === 'prelude') frame[9]! ^= 0xff;
  if (flaw === 'length') frame.writeUInt32BE(frame.readUInt32BE(0) + 7, 0);
  if (flaw === 'headers') frame[13]! ^= 0x3f;
  return frame;
}

function eventText({ name, data, raw }: EventDraft, spoken: Spoken): string {
  if (raw !== undefined) return raw;
  if (spoken === 'ollama') return `${writeTree(data)}\n`;
  return `${name === '' ? '' : `event: ${name}\n`}data: ${writeTree(data)}\n\n`;
}

function bodyOf(draft: AnswerDraft): Buffer {
  const { events, whole, bytes, spoken, end, lineEnd } = draft;
  if (!events) return whole ? Buffer.from(writeTree(whole)) : bytes;
  if (spoken === 'converse') return Buffer.concat(events.map(frameOf));
  const text = events.map((event) => eventText(event, spoken)).join('') + end;
  return Buffer.from(lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd));
}

/** Text that may tell a client that a stream is complete, wherever it occurs. */
const ENDS: Readonly<Record<Spoken, RegExp>> = {
  chat: /"finish_reason"\s*:\s*(?!null)|\[DONE\]/i,
  completions: /"finish_reason"\s*:\s*(?!null)|\[DONE\]/i,
  messages: /"stop_reason"\s*:\s*(?!null)|message_stop/i,
  responses: /response\.(?:completed|incomplete)/i,
  gemini: /finish_?reason|blockReason/i,
  converse: /messageStop|stopReason/i,
  cohere: /message-end|finish_reason/i,
  interactions: /interaction\.completed|\[DONE\]/i,
  ollama: /"done"\s*:\s*true/,
  json: /./,
  bytes: /./,
  'media-stream': /./,
  'speech-stream': /./,
};

export function planOf(draft: AnswerDraft, text: string | undefined): Plan {
  const plain = draft.spoil.reduce((body, spoil) => spoil(body), bodyOf(draft));
  const sent = draft.compress.reduce((body, compress) => compress(body), plain);
  const cutAt = draft.cut ? Math.floor(sent.length * draft.cut.at) : sent.length;
  const body = sent.subarray(0, cutAt);
  const { framing, status } = draft;
  const bodiless = status < 200 || status === 204 || status === 205 || status === 304;
  const off = typeof framing === 'object' ? framing.off : 0;
  const headers = [...draft.headers];
  if (framing === 'chunked') headers.push(['transfer-encoding', 'chunked']);
  else if (framing === 'close') headers.push(['connection', 'close']);
  else headers.push(['content-length', String(Math.max(0, sent.length + off))]);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const line = draft.statusLine ?? `HTTP/1.1 ${draft.status} Whatever`;
  const pieces = piecesOf(body, draft.pace).map((piece) => (framing === 'chunked' ? chunk(piece) : piece));
  if (framing === 'chunked' && !draft.cut) pieces.push(Buffer.from('0\r\n\r\n'));
  if (draft.behind !== '') pieces.push(Buffer.from(draft.behind));
  const heard =
    draft.compress.length > 0 ? plain : plain.subarray(0, Math.min(cutAt, sent.length + Math.min(0, off)));
  return {
    head: Buffer.from(`${draft.before}${line}\r\n${lines}\r\n`, 'latin1'),
    pieces,
    // If a body follows a status that has none, the connection cannot be used again.
    close: framing === 'close' || off !== 0 || draft.before !== '' || draft.behind !== '' || bodiless,
    // Nothing is cut if no body was expected.
    cut: bodiless || (framing === 'length' && cutAt === sent.length) ? undefined : draft.cut,
    once: draft.once,
    body: plain,
    sound: draft.harmless,
    unfinished: draft.once ? undefined : unfinished(draft, heard, cutAt < sent.length || off > 0),
    text,
  };
}

function unfinished(draft: AnswerDraft, heard: Buffer, cut: boolean): string | undefined {
  const { status, spoken, events, whole } = draft;
  if (draft.statusLine === undefined && (status < 200 || status >= 300)) return `it has status ${status}`;
  const plain = draft.compress.length === 0 && draft.statusLine === undefined && draft.before === '';
  if (!plain) return undefined;
  const said = heard.toString('latin1');
  if (!events) {
    if (!whole) return cut ? 'its bytes are cut' : undefined;
    const value = parsed(heard);
    // The proxy passes on what it does not understand, and parses some lists.
    if (typeof value !== 'object' || value === null)
      return draft.spoken === 'json' ? undefined : 'it is no JSON object';
    return draft.failed && draft.spoil.length === 0 ? 'it is an error' : undefined;
  }
  if (!ENDS[spoken].test(said.replaceAll('\\u0000', ''))) return 'it is cut before its end';
  const failed = events.findIndex(({ failure, flaw: damage }) => failure ?? damage);
  if (failed < 0 || draft.spoil.length > 0) return undefined;
  const first = events.slice(0, failed);
  const before = first
    .map((event) => (spoken === 'converse' ? frameOf(event).toString('latin1') : eventText(event, spoken)))
    .join('');
  const whence = Buffer.byteLength(before) + 1;
  const flawed = first.some(({ raw }) => raw);
  if (ENDS[spoken].test(before) || flawed || said.length < whence) return undefined;
  return events[failed]!.flaw
    ? 'a frame in front of its end is damaged'
    : 'it holds an error in front of its end';
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const chunk = (piece: Buffer) =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);

function piecesOf(body: Buffer, pace: AnswerDraft['pace']): Buffer[] {
  if (body.length === 0) return [];
  if (pace === 'once') return [body];
  const count = pace === 'halves' ? 2 : pace === 'pieces' ? 13 : Math.min(400, body.length);
  const size = Math.max(1, Math.ceil(body.length / count));
  return Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );
}
