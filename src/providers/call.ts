import type { ChatRequest } from '../wire/chat.ts';
import type { Endpoint } from '../wire/endpoints.ts';
import { ProxyError } from '../errors.ts';
import { isObject, parseJson } from '../wire/json.ts';

/** A request made ready for a provider. */
export interface Asked {
  readonly endpoint: Endpoint;
  readonly query?: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The bodies that it is asked with one after the other, where one request does not hold all; `body` is the first. */
  readonly parts?: readonly (Uint8Array<ArrayBuffer> | string)[] | undefined;
}

/** What a provider is asked: the body is already in its protocol, with the model name it knows. */
export class Call {
  /** Which API is asked: `chat`, `embeddings`, ... */
  readonly endpoint: Endpoint;
  /** The name the provider knows. */
  readonly model: string;
  /** Whether the answer is to be a stream. */
  readonly stream: boolean;
  /** What of the client's query travels on, such as "beta=true". */
  readonly query: string | undefined;
  readonly body: Uint8Array<ArrayBuffer> | string;
  readonly contentType: string;
  /** Headers of the client that may travel on, by allow list; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** See {@link Asked}. @internal */
  readonly parts: Asked['parts'];
  /** Which of the provider's keys, from 0. */
  readonly key: number;
  /** On a connection of its own: the last one turned out to be closed. */
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
   * The body as JSON, a new object each time. It is typed as a chat, which it is for providers whose `protocol` is `chat`.
   * @throws ProxyError `unsupported` when it is no JSON, such as a form with a recording
   */
  json(): ChatRequest {
    const value = parseJson(this.text());
    if (isObject(value)) return value as ChatRequest;
    throw new ProxyError('unsupported', `Cannot ask for ${this.endpoint}: the request is not JSON`);
  }

  /** The same call with another body. @param contentType `application/json` when left out */
  with(body: Call['body'], contentType: string = 'application/json'): Call {
    return new Call({ ...this, body, contentType, parts: undefined }, this.model, this.stream, this);
  }
}
