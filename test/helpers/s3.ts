/** A scripted S3 server on a real socket: it stores objects, verifies checksums, and can be told how to answer. */
import { createHash } from 'node:crypto';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

type Reply = (request: SeenRequest) => Response | undefined | Promise<Response | undefined>;

/** An S3 error answer. */
export function refusal(status: number, code: string, more = ''): Response {
  return new Response(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message>${more}</Error>`,
    {
      status,
    },
  );
}

/** Close it at the end of the scope: `await using s3 = scriptedS3()`. */
export function scriptedS3() {
  const objects = new Map<string, { readonly body: Buffer; readonly checksum: string }>();
  const seen: SeenRequest[] = [];
  const replies: Reply[] = [];
  const answers = { list: (): Response | undefined => undefined };
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    maxRequestBodySize: 1024 ** 3,
    async fetch(request) {
      const { pathname: path } = new URL(request.url);
      const body = Buffer.from(await request.arrayBuffer());
      const one = { method: request.method, path: decodeURIComponent(path), headers: request.headers, body };
      seen.push(one);
      if (request.method === 'GET') return answers.list() ?? new Response('<ListBucketResult/>');
      const scripted = await replies.shift()?.(one);
      if (scripted) return scripted;
      if (request.method === 'PUT') {
        const checksum = createHash('sha256').update(body).digest('base64');
        if (request.headers.get('x-amz-checksum-sha256') !== checksum) return refusal(400, 'BadDigest');
        objects.set(one.path, { body, checksum });
        return new Response(null, { headers: { 'x-amz-checksum-sha256': checksum } });
      }
      const object = objects.get(one.path);
      if (!object) return new Response(null, { status: 404 });
      return new Response(null, {
        headers: { 'content-length': String(object.body.length), 'x-amz-checksum-sha256': object.checksum },
      });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    objects,
    seen,
    /** How it answers requests for the list of objects. */
    answers,
    /**
     * Replies to the next requests that write or look at an object, one each; a reply that returns nothing answers as
     * usual.
     */
    next: (...all: Reply[]) => replies.push(...all),
    puts: () => seen.filter(({ method }) => method === 'PUT'),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
