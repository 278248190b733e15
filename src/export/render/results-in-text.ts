/**
 * Whether the chat templates of Qwen 3.5 and later find no question in a conversation, and fail: they take a user message
 * between these tags for the result of a tool, as programs without tools of the API write it.
 * @param said the texts of the user's messages; there is no question to look for if there are none
 */
export function onlyResults(said: readonly string[]): boolean {
  return said.length > 0 && said.every(isResult);
}

function isResult(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.startsWith('<tool_response>') && trimmed.endsWith('</tool_response>');
}
