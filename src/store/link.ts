/** What the store asks Redis through: one connection, or one to each node of a cluster. */
import type { RedisAddress } from './address.js';
import type { ScriptClient } from './scripts.js';

export interface Ask {
  /** For the reply; a connection is waited for no longer than usual. */
  readonly deadlineMs?: number;
  /** Whether the command may be sent again after its reply was lost; true unless said otherwise. */
  readonly repeat?: boolean;
  /**
   * Of a command that changes what is stored: a key beside the keys that it changes, which no other use is made of. Such a
   * command is refused where keys can vanish, and is done only when a replica has it, if there are any.
   */
  readonly change?: string;
}

/** Sends what is to be asked, at once and to this client; it may be called again, and with a client that sends nothing. */
export type Command<T> = (client: ScriptClient) => Promise<T>;

export interface Link {
  readonly address: RedisAddress;
  /** Whether Redis can be asked now, and answered the last time. */
  readonly connected: boolean;
  /** Called on each (re)connection. */
  onReady(listener: () => void): void;
  onClose(listener: () => void): void;
  onMessage(listener: (message: string) => void): void;
  /** Connects; unlike {@link ask}, gives up at the first refusal. */
  open(): Promise<void>;
  /**
   * Sends what `command` sends and awaits the reply. Its keys are all of one hash tag; one without keys is asked of any node.
   *
   * @throws STORE_UNAVAILABLE after the deadline, or what storeError makes of Redis's refusal
   */
  ask<T>(command: Command<T>, how?: Ask): Promise<T>;
  /** Asks the same of keys of several hash tags, in few pipelines. @param queue adds the command of one key */
  askEach(keys: readonly string[], queue: QueueCommand): Promise<readonly unknown[]>;
  /** Asks every primary, each named. */
  askPrimaries<T>(command: Command<T>): Promise<readonly { readonly node: string; readonly reply: T }[]>;
  /** Leaves no connection behind; Redis has taken note of it when this resolves, if it answers at all. */
  close(): Promise<void>;
  /** Expects Redis to end the connection: no reconnecting from now on. */
  expectEnd(): void;
}

export type QueueCommand = (pipeline: ReturnType<ScriptClient['pipeline']>, key: string) => void;

export interface LinkEvents {
  /** Called on each loss and each failed try to reconnect. */
  readonly onLost?: () => void;
  /** Told once of what an operator should know and no call fails of. */
  readonly warn?: (message: string) => void;
}
