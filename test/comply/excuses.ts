/** Why a test fails, or does not run, where that is no fault of the proxy's: by suite and test. */
type Excuse = readonly [test: RegExp, reason: string];

export const FAILED: readonly Excuse[] = [
  [
    /LangChain.*test_(?:audio_inputs|pdf_inputs|pdf_tool_message)/,
    'the API behind takes no such part, and a 400 says which: leaving it out would give an answer to another question.',
  ],
  [
    /LangChain.*test_json_mode/,
    'that protocol has no JSON without a schema: a model gives it for the words of the prompt, and the mock does not.',
  ],
];

export const SKIPPED: readonly Excuse[] = [
  [
    /reasoning-summary|thinking-display/,
    'the suite runs it for names of models that think, and the mock does not.',
  ],
  [/LangChain.*Responses.*test_stop_sequence/, 'the Responses API has no stop sequences.'],
  [/LangChain.*test_stream_time/, 'it measures the library with recorded traffic, of which there is none.'],
  [/LangChain.*Anthropic.*test_json_mode/, 'the Messages API has no such mode.'],
  [
    /LangChain.*test_(?:\w+)_(?:inputs|tool_message)/,
    'the library does not claim it for that API, or the suite was not told to.',
  ],
];
