import { divideSafely } from '../onnx/division.js';
import { type RunnableSession, Session } from '../onnx/session.js';

/**
 * How a graph becomes a session.
 *
 * @param name of its version, for people
 * @throws ParleyError MODEL_BROKEN
 */
export type LoadSession = (graph: Uint8Array, name: string) => Promise<RunnableSession>;

/** In this process, which it blocks meanwhile. */
export const loadInline = async (graph: Uint8Array): Promise<Session> => Session.load(await divideSafely(graph));
