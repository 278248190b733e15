/** The meaning of codes, types and statuses. */
import type { Fault } from '../faults.ts';

/** Codes and types with a definite meaning, regardless of the status; in lower case. */
const BY_CODE: Readonly<Record<string, Fault>> = {
  context_length_exceeded: 'context_length',
  exceed_context_size_error: 'context_length',
  too_many_tokens: 'context_length',
  too_many_prompt_tokens: 'context_length',
  content_filter: 'content_policy',
  content_policy_violation: 'content_policy',
  moderation_blocked: 'content_policy',
  responsibleaipolicyviolation: 'content_policy',
  data_inspection_failed: 'content_policy',
  datainspectionfailed: 'content_policy',
  insufficient_quota: 'billing',
  insufficient_balance: 'billing',
  insufficient_credits: 'billing',
  not_enough_balance: 'billing',
  arrearage: 'billing',
  accountoverdueerror: 'billing',
  credit_limit: 'billing',
  budget_exceeded: 'billing',
  exceeded_current_quota_error: 'billing',
  billing_error: 'billing',
  billing_hard_limit_reached: 'billing',
  billing_not_active: 'billing',
  billing_disabled: 'billing',
  credit_balance_exhausted: 'billing',
  organization_spend_limit_exceeded: 'billing',
  project_spend_limit_exceeded: 'billing',
  organization_usage_limit_exceeded: 'billing',
  throttlingexception: 'rate_limited',
  modelnotreadyexception: 'overloaded',
  serviceunavailableexception: 'overloaded',
  servicequotaexceededexception: 'rate_limited',
  modeltimeoutexception: 'server',
  modelerrorexception: 'server',
  internalserverexception: 'server',
  accessdeniedexception: 'forbidden',
  unrecognizedclientexception: 'auth',
  expiredtokenexception: 'auth',
  invalidsignatureexception: 'auth',
  resourcenotfoundexception: 'not_found',
  loop_detected: 'loop',
  malformed_response: 'malformed',
  tool_use_failed: 'failed_generation',
  invalid_api_key: 'auth',
  authentication_error: 'auth',
  permission_error: 'forbidden',
  permission_denied: 'forbidden',
  model_terms_required: 'forbidden',
  invalidapikey: 'auth',
  account_deactivated: 'auth',
  account_suspended: 'auth',
  account_disabled: 'auth',
  organization_restricted: 'auth',
  organization_disabled: 'auth',
  consumer_suspended: 'auth',
  unsupported_country_region_territory: 'auth',
  api_key_invalid: 'auth',
  api_key_service_blocked: 'auth',
  api_key_http_referrer_blocked: 'auth',
  api_key_ip_address_blocked: 'auth',
  service_disabled: 'auth',
  access_token_expired: 'auth',
  model_not_found: 'not_found',
  deploymentnotfound: 'not_found',
  model_not_available: 'not_found',
  model_decommissioned: 'not_found',
  invalid_model: 'not_found',
  not_found_error: 'no_endpoint',
  operationnotsupported: 'no_endpoint',
  previous_response_not_found: 'declined',
  rate_limit_exceeded: 'rate_limited',
  rate_limit_error: 'rate_limited',
  ratelimitreached: 'rate_limited',
  resource_exhausted: 'rate_limited',
  overloaded_error: 'overloaded',
  server_is_overloaded: 'overloaded',
  slow_down: 'overloaded',
  capacity_exceeded: 'overloaded',
  unavailable_error: 'overloaded',
  api_error: 'server',
  server_error: 'server',
  timeout_error: 'server',
};

/** Statuses whose meaning differs from that of their class. */
const BY_STATUS: Readonly<Record<number, Fault>> = {
  401: 'auth',
  402: 'unaffordable',
  403: 'forbidden',
  404: 'no_endpoint',
  405: 'no_endpoint',
  406: 'declined',
  // From a proxy on the way to the provider.
  407: 'server',
  408: 'server',
  409: 'declined',
  410: 'no_endpoint',
  412: 'declined',
  413: 'declined',
  415: 'declined',
  421: 'declined',
  423: 'declined',
  424: 'declined',
  425: 'overloaded',
  426: 'declined',
  429: 'rate_limited',
  431: 'declined',
  451: 'declined',
  498: 'overloaded',
  499: 'server',
  501: 'no_endpoint',
  503: 'overloaded',
  508: 'loop',
  529: 'overloaded',
};

/** The fault that a code or type stands for. Providers may send names that every object has, such as "constructor". */
export function faultNamed(word = ''): Fault | undefined {
  const code = word.toLowerCase();
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

/**
 * The meaning of a bare status. A redirect is not followed, since it would carry the key elsewhere; APIs do not
 * redirect.
 */
export function faultOfStatus(status: number): Fault {
  if (status < 400) return 'server';
  return BY_STATUS[status] ?? (status < 500 ? 'invalid_request' : 'server');
}
