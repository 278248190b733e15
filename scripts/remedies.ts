/** What a reader of docs/troubleshooting.md can do about each error code, and about what is seen without one. */
export const REMEDIES: Readonly<Record<string, string>> = {
  rate_limit_exceeded:
    'Wait for as long as `Retry-After` says. The message tells whether the limit is the provider’s or one of yours (`groups`, `rate_limits`, a provider’s `rate_limit`); `GET /v1/key` shows what a key has left. A second key (`api_keys`) or provider takes what the first one cannot.',
  overloaded: 'Nothing, if it is rare: it is retried. Otherwise add a target behind this one.',
  upstream_error:
    'Read the provider’s own words in the message. `llmproxy health` shows whether all its models fail. Add a target behind this one.',
  upstream_unreachable:
    'Check `base_url`, the network, DNS, a firewall, `HTTPS_PROXY`; `llmproxy doctor` tries each of them. A local server has to be running.',
  timeout_connect: 'As for `upstream_unreachable`; or raise `timeout.connect`.',
  timeout_first_byte:
    'Raise `timeout.first_byte` of the provider if the model is that slow (a local one that loads first, one that thinks for minutes without streaming), or let the client stream.',
  timeout_first_content: 'Raise `timeout.first_content` for models that think long before they speak.',
  timeout_idle: 'Raise `timeout.idle`, or look why the provider stopped in the middle of its answer.',
  timeout_total: 'Raise `timeout.total` of the provider.',
  timeout_share:
    'One target took so long that the others would have had no time. Raise `routing.deadline`, or the client’s own timeout.',
  truncated:
    'Nothing in the answer is trusted to be complete. If one provider does it often, look between it and here: proxies that cut idle connections, for example. `resume: on` goes on with another target.',
  malformed_response:
    'Is `base_url` the address of an API, with the `/v1` that the provider wants and no more? An HTML page comes from a gateway or a login in between.',
  failed_generation: 'The model failed, not the connection. Ask again, or ask a better model.',
  plugin_failed: 'The log of the program names the file and the line of the plugin. See plugins.md.',
  response_too_large: 'Raise `limits.max_response`.',
  loop_detected: 'A provider’s `base_url` leads back to this proxy, perhaps through another one. Change it.',
  provider_auth_failed:
    'The provider refuses its key, or there is none. Check the variable that `api_key_env` names; `llmproxy health` shows which provider and since when. The key of the client is not meant.',
  provider_quota_exhausted: 'The account at the provider has no money left. Pay, or add a target behind it.',
  provider_forbidden:
    'The account at the provider may not do this: a model not released for it, a region, a file of somebody else’s.',
  provider_payment_required: 'This request costs more than the provider allows. Lower `max_tokens`, or pay.',
  model_not_found:
    'Compare with `GET /v1/models`, and ask `llmproxy explain MODEL`. The message suggests names that are close. To serve a name of your own, add it to `models`.',
  not_found:
    'Compare the name with what there is: a session, a response or a conversation ends after its time, and belongs to the key that made it.',
  previous_response_not_found:
    'The response is not stored (any more): its time is over, it was made by another key, or with `store: false`. Send the whole conversation.',
  provider_endpoint_not_found:
    'The provider has no such endpoint. Check `base_url`; list what it has in `endpoints` of the provider.',
  declined_by_provider:
    'Read the provider’s own words: a file, a picture or an earlier response that it does not have or take.',
  context_length_exceeded:
    'Shorten the conversation, or add a model with a larger context behind this one, to which such requests then go by themselves.',
  content_policy_violation:
    '`content_policy: failover` asks the next target where the provider refuses the content.',
  unsupported_by_provider:
    'The request needs what no target has. `x-llmproxy-dropped` and `llmproxy explain` say what; with `unsupported: drop` it is left out.',
  prefill_unsupported: 'Seen only in `details`: another way to go on is taken.',
  usage_unasked:
    'Seen only in `details`: it is asked again without. Set `ask_usage: false` for the provider to save that.',
  seals_refused: 'Seen only in `details`: it is asked again without the reasoning.',
  unknown_ending: 'Nothing: the answer is passed on as it came. Tell us which provider it was.',
  invalid_request:
    'Read the message: it names the field. The request is not sent anywhere else, since it would fail there too.',
  client_closed_request:
    'Seen only in the log: the client went. If it was a timeout of the client, raise it there.',
  client_stalled: 'Seen only in the log: the client read nothing for `limits.client_stall`.',
  request_timeout: 'The body of the request came too slowly. Raise `limits.body_timeout`.',
  hedge_lost: 'Seen only in the log: another target answered first, which is what `hedge` is for.',
  cannot_resume: 'The answer was cut, and no other target could go on with it. Ask again.',
  invalid_api_key:
    'The key of the client is not one of `auth.keys`, or has expired. `llmproxy keys list` shows those of the keys file.',
  key_not_permitted:
    'The key, or its group, may not use this endpoint, model or provider. `llmproxy keys show NAME` says what it may do.',
  insufficient_quota:
    'A budget is used up. The message names it and when it begins anew; `llmproxy usage` shows what was spent.',
  host_not_allowed: 'Add the host name by which clients reach the proxy to `server.hosts`.',
  origin_not_allowed: 'Add the origin of the web page to `server.cors.origins`.',
  unknown_url:
    'Check the path: most clients want a base URL that ends with `/v1`, Anthropic’s want one without.',
  method_not_allowed: 'The path is right, the method is not: most endpoints take POST.',
  upgrade_required: 'This path is a WebSocket. A proxy in front has to pass `Upgrade` on.',
  request_too_large: 'Raise `limits.max_body`; a proxy in front may have a limit of its own.',
  too_many_bytes:
    'One client has too many large requests at once. Raise `limits.max_buffered_share` or `limits.max_buffered`.',
  unsupported_parameter: 'Turn `responses.store` on, or send the whole conversation.',
  unsupported_encoding: 'Send the body as gzip, deflate, br, zstd, or as it is.',
  deadline_exceeded:
    'Raise `routing.deadline`, or the client’s timeout (`x-request-timeout`; SDKs send theirs). `details` shows where the time went.',
  no_target_available:
    'All targets are held back after failures. `llmproxy health` says why and when each is tried again; `kill -HUP` lets the next request try them all.',
  shutting_down: 'Ask again: another instance answers, or this one once it is started.',
  internal_error: 'A defect. Please report it with the line of the program’s log.',
};

interface Symptom {
  readonly seen: string;
  readonly advice: string;
}

export const SYMPTOMS: readonly Symptom[] = [
  {
    seen: 'It serves nothing but the mock.',
    advice:
      'A `config.yaml` in the directory it is started in wins over the environment. `llmproxy providers` shows each provider, and why it is on or off.',
  },
  {
    seen: 'The list of models in a client is empty, or lacks a model.',
    advice:
      '`GET /v1/models` lists what the configuration names, and what providers say they have. A key sees only what its `models` allow.',
  },
  {
    seen: 'An SDK says 404 at once.',
    advice:
      'OpenAI’s SDKs want `http://127.0.0.1:8000/v1`, Anthropic’s `http://127.0.0.1:8000`. Both paths are served either way, but some clients add a `/v1` of their own.',
  },
  {
    seen: 'Streams arrive all at once at the end.',
    advice:
      'Something between the client and llmproxy collects them. nginx needs `proxy_buffering off`; llmproxy sends `x-accel-buffering: no`, which nginx obeys by default.',
  },
  {
    seen: 'The connection is refused from another machine, or from a container.',
    advice:
      'llmproxy listens on loopback unless `server.host` says otherwise, and that needs `auth`. In a container, `127.0.0.1` is the container itself; the host is `host.docker.internal`.',
  },
  {
    seen: 'A change of the configuration has no effect.',
    advice:
      'The program says on stderr that it has read the file again, or why it keeps the old one. `server` settings that need a restart are named there. A file mounted alone into a container does not change when it is replaced outside.',
  },
  {
    seen: 'The log lacks requests.',
    advice:
      '`llmproxy health` shows trouble with the log (a full disk, no rights). `x-llmproxy-log: none` of a client, `log` of a key and `logging.requests.content` decide what is kept.',
  },
  {
    seen: 'An export has no rows.',
    advice:
      '`llmproxy export --stats` counts the records that the filters let through, and says what each filter took away.',
  },
];
