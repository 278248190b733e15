/**
 * What vendors charge for besides tokens, in the names of the request log (`units`). Web searches, searches of stored
 * files, images, recordings and speech are not among them: they have prices with names of their own.
 */
export const FEE_UNITS = [
  'preview_web_searches',
  'map_searches',
  'page_visits',
  'code_calls',
  'container_gigabytes',
  'rerank_searches',
  'guardrail_filter_units',
  'guardrail_check_units',
  'guardrail_image_units',
  'guardrail_reasoning_units',
] as const;

export type FeeUnit = (typeof FEE_UNITS)[number];
