/** A scripted provider on a real socket: the same one that plugin tests get from 'llmproxy/testing'. */
export { chatStream, completion, pieces, sse, upstream } from '../../src/plugins/upstream.ts';
export type { Received as Asked, Script, Upstream } from '../../src/plugins/upstream.ts';
