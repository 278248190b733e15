/** What readers of docs/troubleshooting.md can do about each error code, and about symptoms without a code. */
export const REMEDIES: Readonly<Record<string, string>> = {
  rate_limit_exceeded:
    'Wait as long as `Retry-After` says. The message shows whether the limit is the provider’s or one of yours (`groups`, `rate_limits`, a provider’s `rate_limit`); `GET /v1/key` shows what a key has left. A second key (`api_keys`) or provider adds capacity.',
  overloaded: 'Nothing, if it is rare: the request is retried. Otherwise add another target after this one.',
  upstream_error:
    'Read the provider’s message in the error. `llmproxy health` shows whether all its models fail. Add another target after this one.',
  upstream_unreachable:
    'Check `base_url`, the network, DNS, firewalls and `HTTPS_PROXY`; `llmproxy doctor` tests each of them. A local server must be running.',
  timeout_connect: 'See `upstream_unreachable`, or raise `timeout.connect`.',
  timeout_first_byte:
    'Raise the provider’s `timeout.first_byte` if the model is that slow (a local one that has to be loaded first, or one that reasons for minutes without streaming), or let the client stream.',
  timeout_first_content:
    'Raise `timeout.first_content` for models that reason for a long time before they answer.',
  timeout_idle: 'Raise `timeout.idle`, or find out why the provider stopped in the middle of its answer.',
  timeout_total: 'Raise the provider’s `timeout.total`.',
  timeout_share:
    'One target took so long that no time would have been left for the others. Raise `routing.deadline`, or the client’s own timeout.',
  truncated:
    'Do not rely on the answer being complete. If this happens often with one provider, check what is between it and the proxy, such as gateways that close idle connections. With `resume: on`, another target continues the answer.',
  malformed_response:
    'Check that `base_url` is the address of an API, with `/v1` only if the provider requires it. An HTML page comes from a gateway or a login page in between.',
  failed_generation: 'The model failed, not the connection. Retry, or use a better model.',
  plugin_failed: 'The program’s log names the file and line of the plugin. See plugins.md.',
  response_too_large: 'Raise `limits.max_response`.',
  loop_detected: 'A provider’s `base_url` leads back to this proxy, perhaps through another one. Change it.',
  provider_auth_failed:
    'The provider refuses its key, or there is none. This is not about the client’s key. Check the variable named in `api_key_env`; `llmproxy health` shows which provider is affected and since when.',
  provider_quota_exhausted:
    'The account at the provider has no credit left. Pay, or add another target after it.',
  provider_forbidden:
    'The account at the provider is not allowed to do this: for example, the model is not enabled for it, the region is wrong, or the file belongs to someone else.',
  provider_payment_required: 'This request costs more than the provider allows. Lower `max_tokens`, or pay.',
  model_not_found:
    'Compare the name with `GET /v1/models`, and run `llmproxy explain MODEL`. The message suggests similar names. To serve a name of your own, add it to `models`.',
  not_found: 'Check the ID: responses and conversations expire, and belong to the key that created them.',
  previous_response_not_found:
    'The response is not stored, or not any more: it has expired, was created with another key, or with `store: false`. Send the whole conversation.',
  provider_endpoint_not_found:
    'The provider has no such endpoint. Check `base_url`, and list the endpoints it has in the provider’s `endpoints`.',
  declined_by_provider:
    'Read the provider’s message: it does not have or does not accept a file, an image or an earlier response.',
  context_length_exceeded:
    'Shorten the conversation, or add a model with a larger context window after this one; such requests are then sent to it automatically.',
  content_policy_violation:
    'With `content_policy: failover`, the next target is tried when a provider refuses the content.',
  unsupported_by_provider:
    'The request needs something that no target supports. `x-llmproxy-dropped` and `llmproxy explain` show what; with `unsupported: drop`, it is left out.',
  unredactable:
    'The message names what cannot be searched, and where. Leave it out, add a target whose provider has no `redact`, or let images and files pass with `media: pass`. Send the whole conversation instead of a reference to what the provider has stored, or enable `responses.store`.',
  redaction_failed:
    'Retry. If it happens again, check the patterns in `redact.patterns` for expressions that take very long, and raise `redact.timeout` for large requests.',
  prefill_unsupported: 'Appears only in `details`: the answer is continued in another way.',
  usage_unasked:
    'Appears only in `details`: the request is repeated without it. Set `ask_usage: off` for the provider to avoid this.',
  schema_refused:
    'Appears only in `details`: the request is repeated without the guarantee. Simplify the schema to have it.',
  seals_refused: 'Appears only in `details`: the request is repeated without the reasoning.',
  unknown_ending: 'Nothing: the answer is forwarded unchanged. Please report which provider it was.',
  invalid_request:
    'Read the message: it names the field. The request is not sent to another target, since it would fail there too.',
  client_closed_request:
    'Appears only in the log: the client disconnected. If it timed out, raise its timeout.',
  client_stalled: 'Appears only in the log: the client read nothing for `limits.client_stall`.',
  request_timeout: 'The body of the request arrived too slowly. Raise `limits.body_timeout`.',
  hedge_lost: 'Appears only in the log: another target answered first, which is the purpose of `hedge`.',
  cannot_resume: 'The answer was cut off, and no other target could continue it. Retry.',
  invalid_api_key:
    'The client’s key is not in `auth.keys`, or it has expired. `llmproxy keys list` shows the keys in the keys file.',
  key_not_permitted:
    'The key or its group may not use this endpoint, model or provider. `llmproxy keys show NAME` shows what it may do.',
  insufficient_quota:
    'A budget is used up. The message names it and the time at which it starts again; `llmproxy usage` shows what was spent.',
  host_not_allowed: 'Add the host name that clients use to reach the proxy to `server.hosts`.',
  origin_not_allowed: 'Add the origin of the web page to `server.cors.origins`.',
  unknown_url:
    'Check the path: most clients need a base URL that ends with `/v1`, Anthropic’s need one without.',
  method_not_allowed: 'The path is correct, but the method is not: most endpoints require POST.',
  upgrade_required: 'This path is a WebSocket. A reverse proxy in front must forward the `Upgrade` header.',
  request_too_large: 'Raise `limits.max_body`; a reverse proxy in front may have its own limit.',
  too_many_bytes:
    'One client has too many large requests at once. Raise `limits.max_buffered_share` or `limits.max_buffered`.',
  unsupported_parameter: 'Enable `responses.store`, or send the whole conversation.',
  unsupported_encoding: 'Send the body with gzip, deflate, br or zstd, or uncompressed.',
  deadline_exceeded:
    'Raise `routing.deadline`, or the client’s timeout (`x-request-timeout`; SDKs send their own). `details` shows where the time was spent.',
  no_target_available:
    'All targets are unavailable after failures. `llmproxy health` shows why, and when each is tried again; after `kill -HUP`, the next request may try all of them.',
  shutting_down: 'Retry: another instance will answer, or this one once it has restarted.',
  internal_error: 'A bug. Please report it with the line from the program’s log.',
};

interface Symptom {
  readonly seen: string;
  readonly advice: string;
}

export const SYMPTOMS: readonly Symptom[] = [
  {
    seen: 'Only the mock provider is served.',
    advice:
      'A `config.yaml` in the current directory takes precedence over the environment. `llmproxy doctor` shows each configured provider, and why it is off.',
  },
  {
    seen: 'The list of models in a client is empty or incomplete.',
    advice:
      '`GET /v1/models` lists the models that the configuration names and those that providers list. A key sees only what its `models` allow.',
  },
  {
    seen: 'An SDK reports 404 at once.',
    advice:
      'OpenAI’s SDKs need `http://127.0.0.1:8000/v1`, Anthropic’s need `http://127.0.0.1:8000`. The proxy accepts both paths either way, but some clients append another `/v1`.',
  },
  {
    seen: 'Streams arrive all at once, at the end.',
    advice:
      'Something between the client and llmproxy buffers them. nginx needs `proxy_buffering off`; llmproxy also sends `x-accel-buffering: no`, which nginx respects by default.',
  },
  {
    seen: 'The connection is refused from another machine, or from a container.',
    advice:
      'llmproxy listens on loopback unless `server.host` is set, which requires `auth`. In a container, `127.0.0.1` is the container itself; the host is `host.docker.internal`.',
  },
  {
    seen: 'A change to the configuration has no effect.',
    advice:
      'stderr shows that the file was reloaded, or why the previous version is still in use. `server` settings that require a restart are named there. A single file mounted into a container does not change when it is replaced outside.',
  },
  {
    seen: 'Requests are missing from the log.',
    advice:
      '`llmproxy health` shows problems with the log (a full disk, missing permissions). The client header `x-llmproxy-log: none`, a key’s `log` and `logging.requests.content` determine what is kept.',
  },
  {
    seen: 'An export has no rows.',
    advice:
      '`llmproxy export --stats` counts the records that pass the filters, and shows how many each filter removed.',
  },
];
