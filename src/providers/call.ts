import type { ChatRequest } from '../wire/chat.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { ProxyError } from '../errors.ts';
import { isObject, parseJson } from '../wire/json.ts';

/** A request that is ready to be sent to a provider. */
export interface Asked {
  readonly endpoint: Endpoint;
  readonly query?: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The bodies of several successive requests, if one request cannot hold everything; `body` is the first. */
  readonly parts?: readonly (Uint8Array<ArrayBuffer> | string)[] | undefined;
}

/** A call to a provider: the body is already in its protocol, with the upstream name of the model. */
export class Call {
  /** The API: `chat`, `embeddings`, ... */
  readonly endpoint: Endpoint;
  /** The upstream name of the model. */
  readonly model: string;
  /** Whether the answer is to be a stream. */
  readonly stream: boolean;
  /** The part of the client's query that is passed on, such as "beta=true". */
  readonly query: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  /** Client headers that may be passed on, by an allow list, with lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** See {@link Asked}. @internal */
  readonly parts: Asked['parts'];
  /** The index of the provider's key, from 0. */
  readonly key: number;
  /** Whether to use a new connection, since the last one turned out to be closed. */
  readonly fresh: boolean;

  constructor(
    { endpoint, query, body, contentType, headers, parts }: Asked,
    model: string,
    stream: boolean,
    { key, fresh }: { readonly key: number; readonly fresh: boolean },
  ) {
    this.endpoint = endpoint;
    this.model = model;
    this.stream = stream;
    this.query = query;
    this.body = body;
    this.contentType = contentType;
    this.headers = headers;
    this.parts = parts;
    this.key = key;
    this.fresh = fresh;
  }

  /** The body as text. */
  text(): string {
    return typeof this.body === 'string' ? this.body : new TextDecoder().decode(this.body);
  }

  /**
   * The body as JSON, a new object for each call. Its type is that of a chat, which applies to providers with
   * `protocol` `chat`.
   * @throws ProxyError `unsupported` when it is not JSON, for example a form with a recording
   */
  json(): ChatRequest {
    const value = parseJson(this.text());
    if (isObject(value)) return value as ChatRequest;
    throw new ProxyError('unsupported', `Cannot use ${this.endpoint}: the request is not JSON`);
  }

  /** The same call with another body. @param contentType `application/json` by default */
  with(body: Call['body'], contentType: string = 'application/json'): Call {
    return new Call({ ...this, body, contentType, parts: undefined }, this.model, this.stream, this);
  }
}
