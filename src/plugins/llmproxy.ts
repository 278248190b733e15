/**
 * The module 'llmproxy' for plugins: the whole public API, of which the built-in providers are made as well. It is
 * documented in docs/plugins.md; `llmproxy plugin init` writes its type declarations.
 */
export { z } from 'zod';
export { ProxyError } from '../errors.ts';
export { answer } from '../providers/answer.ts';
export { BaseProvider } from '../providers/base.ts';
export { Call } from '../providers/call.ts';
export { HttpProvider } from '../providers/http.ts';
export { env } from './env.ts';
export type { ProxyErrorOptions } from '../errors.ts';
export type { Fault } from '../faults.ts';
export type { Unsigned } from '../providers/auth/authorizer.ts';
export type { AnswerPiece, Piece, Speaker } from '../providers/answer.ts';
export type { ProviderModel, UpstreamReply } from '../providers/base.ts';
export type { Called, HeaderFields } from '../providers/http.ts';
export type { Services } from '../providers/services.ts';
export type { ChatMessage, ChatRequest, ChatTool, ContentPart, ToolCall } from '../wire/chat.ts';
export type { Endpoint } from '../wire/endpoints.ts';
export type { HookAnswer, HookContext, HookRequest, Plugin, RequestRecord } from './plugin.ts';
