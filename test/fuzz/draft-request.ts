/** A request before it is sent, piece by piece. */
import type { Asked, Field } from './requests.ts';
import type { Node } from './tree.ts';
import { formBytes } from './requests.ts';
import { treeOf, writeTree } from './tree.ts';

export interface RequestDraft {
  method: string;
  path: string;
  version: string;
  headers: [name: string, value: string][];
  tree: Node | undefined;
  form: Field[] | undefined;
  boundary: string;
  /** Changes to the bytes of the body, in this order. */
  readonly spoil: ((bytes: Buffer) => Buffer)[];
  framing: 'length' | 'chunked' | 'none' | 'both' | 'twice' | { readonly off: number };
  /** How the bytes are sent. */
  pace: 'once' | 'pieces';
  /** When the client disconnects: after this share of its request, or after this many bytes of the answer. */
  leaves: { readonly sent: number } | { readonly read: number } | undefined;
  /** Whether it closes its sending side after the request, as some clients do. */
  halfCloses: boolean;
}

/** What a client does on its connection. */
export interface Sending {
  readonly pieces: readonly Buffer[];
  readonly leaves: RequestDraft['leaves'];
  readonly halfCloses: boolean;
  readonly head: boolean;
  /** For reports. */
  readonly body: Buffer;
}

export function draftRequest(path: string, asked: Asked, id: string): RequestDraft {
  const form = 'form' in asked ? asked.form : undefined;
  const boundary = 'fuzz-boundary';
  const type = form ? `multipart/form-data; boundary=${boundary}` : 'application/json';
  return {
    method: 'POST',
    path,
    version: 'HTTP/1.1',
    headers: [
      ['host', 'localhost'],
      ['content-type', type],
      ['x-request-id', id],
      ['connection', 'close'],
    ],
    tree: 'json' in asked ? treeOf(asked.json) : undefined,
    form,
    boundary,
    spoil: [],
    framing: 'length',
    pace: 'once',
    leaves: undefined,
    halfCloses: false,
  };
}

export function sendingOf(draft: RequestDraft): Sending {
  const plain = draft.form
    ? formBytes(draft.form, draft.boundary)
    : Buffer.from(draft.tree ? writeTree(draft.tree) : '');
  const body = draft.spoil.reduce((bytes, spoil) => spoil(bytes), plain);
  const [framing, payload] = framed(draft.framing, body);
  const lines = [...draft.headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = Buffer.from(`${draft.method} ${draft.path} ${draft.version}\r\n${lines}\r\n`, 'latin1');
  let bytes = Buffer.concat([head, payload]);
  const { leaves, halfCloses } = draft;
  if (leaves && 'sent' in leaves) bytes = bytes.subarray(0, Math.floor(bytes.length * leaves.sent));
  return { pieces: paced(bytes, draft.pace), leaves, halfCloses, head: draft.method === 'HEAD', body };
}

function paced(bytes: Buffer, pace: RequestDraft['pace']): Buffer[] {
  if (pace === 'once') return [bytes];
  const size = Math.max(1, Math.ceil(bytes.length / 7));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

function framed(framing: RequestDraft['framing'], body: Buffer): [[string, string][], Buffer] {
  const length: [string, string] = ['content-length', String(body.length)];
  const chunked: [string, string] = ['transfer-encoding', 'chunked'];
  if (framing === 'none') return [[], body];
  if (framing === 'length') return [[length], body];
  if (framing === 'twice') return [[length, length], body];
  if (typeof framing === 'object')
    return [[['content-length', String(Math.max(0, body.length + framing.off))]], body];
  const half = body.length >> 1;
  const pieces = [body.subarray(0, half), body.subarray(half)].filter((piece) => piece.length > 0);
  const payload = Buffer.concat([...pieces.map(chunk), Buffer.from('0\r\n\r\n')]);
  return [framing === 'both' ? [length, chunked] : [chunked], payload];
}
