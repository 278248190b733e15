/** Reads a streamed chat completion. */
export interface Piece {
  readonly text?: string;
  readonly thinking?: string;
  readonly finish?: string;
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number };
  readonly error?: string;
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning_content?: string | null;
      readonly reasoning?: string | null;
    };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: Piece['usage'] | null;
  readonly error?: { readonly message?: string };
}

/** The pieces of the stream. An error within it is one of them. */
export async function* piecesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Piece> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end).trimEnd();
      text = text.slice(end + 1);
      if (!line.startsWith('data:')) continue;
      const data = line.slice(5).trim();
      if (data === '[DONE]') return;
      yield pieceOf(JSON.parse(data) as Chunk);
    }
  }
}

function pieceOf({ choices, usage, error }: Chunk): Piece {
  const choice = choices?.[0];
  const thinking = choice?.delta?.reasoning_content ?? choice?.delta?.reasoning;
  return {
    ...(choice?.delta?.content ? { text: choice.delta.content } : {}),
    ...(thinking ? { thinking } : {}),
    ...(choice?.finish_reason ? { finish: choice.finish_reason } : {}),
    ...(usage ? { usage } : {}),
    ...(error ? { error: error.message ?? 'The answer was cut' } : {}),
  };
}
