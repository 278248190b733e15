/** A scripted provider on its own port, which checks requests against the rules of its protocol. */
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Heard, Said } from './script.ts';
import { answerTo, Complaint, LIMIT, REFUSAL } from './script.ts';

export type JsonObject = Record<string, unknown>;

/** A complete frame of a stream. */
export type Frame = string | Uint8Array;

export interface Asked {
  readonly path: string;
  readonly headers: Headers;
  readonly body: JsonObject;
}

/** A provider's protocol. */
export interface Dialect {
  readonly name: string;
  readonly model: string;
  readonly type: ConfigInput['providers'][number]['type'];
  /** Appended to the address for `base_url`. */
  readonly base: string;
  /** The content type of its streams; SSE by default. */
  readonly mime?: string;
  /** Answers endpoints other than chat; `undefined` if it has none. */
  other(asked: Asked): JsonObject | undefined;
  /** @throws Complaint naming the rule that the request breaks */
  hear(asked: Asked): Heard;
  whole(said: Said, turn: number): JsonObject;
  events(said: Said, turn: number): Frame[];
  /** A stream that fails: the frames before any text, a piece of text, and an error that ends the stream. */
  begun(): { head: Frame[]; piece: Frame; broken: Frame };
  error(status: number, message: string): JsonObject;
}

export interface Upstream extends AsyncDisposable {
  readonly dialect: Dialect;
  readonly url: string;
  /** The rules that requests have broken. */
  readonly complaints: string[];
  readonly asked: Asked[];
  /** The number of streams that the other side closed. */
  left: number;
}

export function frame(value: JsonObject, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(value)}\n\n`;
}

/** The text in fragments of a few characters. */
export function fragments(text: string, size = 7): string[] {
  return text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
}

export function serveUpstream(dialect: Dialect): Upstream {
  const asked: Asked[] = [];
  const complaints: string[] = [];
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: answer });
  const upstream: Upstream = {
    dialect,
    url: `http://127.0.0.1:${server.port}`,
    complaints,
    asked,
    left: 0,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return upstream;

  async function answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const body = text === '' ? {} : (JSON.parse(text) as JsonObject);
    const seen = { path: pathname + search, headers: request.headers, body };
    asked.push(seen);
    try {
      const other = dialect.other(seen);
      if (other) return Response.json(other);
      return speak(dialect.hear(seen));
    } catch (error) {
      const message = error instanceof Complaint ? error.message : String((error as Error).stack);
      complaints.push(`${message}: ${text.slice(0, 2_000)}`);
      return Response.json(dialect.error(400, message), { status: 400 });
    }
  }

  function speak(heard: Heard): Response {
    const { scene, stream } = heard;
    if (scene === 'refused') return Response.json(dialect.error(400, REFUSAL), { status: 400 });
    if (scene === 'limited') {
      // Retries are allowed at once, so that the next test gets this answer too, and not a cooldown.
      const headers = { 'retry-after': '0' };
      return Response.json(dialect.error(429, LIMIT), { status: 429, headers });
    }
    if (scene === 'breaks') {
      const { head, piece, broken } = dialect.begun();
      return streamed([...head, piece, piece, broken]);
    }
    if (scene === 'endless') return endless();
    const said = answerTo(heard);
    const turn = heard.results.length;
    return stream ? streamed(dialect.events(said, turn)) : Response.json(dialect.whole(said, turn));
  }

  /** Sends pieces that are cut within frames and characters, as on a real network. */
  function streamed(frames: readonly Frame[]): Response {
    const bytes = bytesOf(...frames);
    let at = 0;
    return events(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(at, (at += 97)));
        },
      }),
    );
  }

  function events(stream: ReadableStream<Uint8Array>): Response {
    return new Response(stream, { headers: { 'content-type': dialect.mime ?? 'text/event-stream' } });
  }

  function endless(): Response {
    const { head, piece } = dialect.begun();
    let begun = false;
    return events(
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue(begun ? bytesOf(piece) : bytesOf(...head, piece));
          begun = true;
          await Bun.sleep(10);
        },
        cancel() {
          upstream.left += 1;
        },
      }),
    );
  }
}

function bytesOf(...frames: readonly Frame[]): Uint8Array {
  return Buffer.concat(frames.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
}
