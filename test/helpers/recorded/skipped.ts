/** Recordings that are no measure of a decoder, each with the reason. */
export const SKIPPED: readonly { readonly file: string; readonly reason: string }[] = [
  { file: 'test_background_mode', reason: 'asked in the background: queued, not answered' },
  {
    file: 'test_openai_previous_response_id_auto_mode',
    reason: 'made by hand with a status that does not exist',
  },
  { file: 'simonw+llm-gemini', reason: 'streamed as one JSON list, which is never asked for' },
  { file: 'anthropic-programmatic-tool-calling', reason: 'calls made by code that runs at the provider' },
  { file: 'google-stream-tool-call', reason: 'arguments in pieces, which are never asked for' },
  {
    file: 'google-vertex-stream-tool-call-arguments',
    reason: 'arguments in pieces, which are never asked for',
  },
];
