/** The reasons of failed and skipped tests that are not caused by the proxy, by suite and test. */
type Excuse = readonly [test: RegExp, reason: string];

export const FAILED: readonly Excuse[] = [
  [
    /LangChain.*test_(?:audio_inputs|pdf_inputs|pdf_tool_message)/,
    'the provider’s API does not support such a part, and a 400 says so: leaving it out would answer a different question.',
  ],
  [
    /LangChain.*test_json_mode/,
    'that protocol has no JSON mode without a schema: a real model would follow the prompt, but the mock does not.',
  ],
];

export const SKIPPED: readonly Excuse[] = [
  [
    /reasoning-summary|thinking-display/,
    'the suite runs it only for names of reasoning models, and the mock does not reason.',
  ],
  [/LangChain.*Responses.*test_stop_sequence/, 'the Responses API has no stop sequences.'],
  [
    /LangChain, Google.*test_\w+_with_model_override/,
    'the library does not let a call name another model: it takes the name for a setting, and refuses it.',
  ],
  [/LangChain.*test_stream_time/, 'it measures the library with recorded traffic, which is not available.'],
  [/LangChain, Ollama.*test_tool_choice/, 'Ollama’s API has no field for it.'],
  [/LangChain.*Anthropic.*test_json_mode/, 'the Messages API has no such mode.'],
  [
    /LangChain.*test_(?:\w+)_(?:inputs|tool_message)/,
    'the library does not claim to support it for that API, or the suite is not configured for it.',
  ],
];
