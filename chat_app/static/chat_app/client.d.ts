/** A visitor's conversation over Chatsite's API. See docs/widget.md. */

export type Speaker = 'visitor' | 'assistant' | 'staff' | 'system';
export type Status = 'sending' | 'sent' | 'failed' | 'queued' | 'running' | 'done' | 'stopped';

export interface Message {
  /** The API's id; missing until a message of the visitor's is stored. */
  id?: string;
  /** The idempotency key of a message sent from this browser. */
  key?: string;
  from: Speaker;
  /** Who of the staff speaks. */
  author?: string;
  /** Plain text; grows while an answer is `running`. */
  text: string;
  /** Safe to insert; what to show once an answer is finished. Never set for the visitor's own. */
  html?: string;
  /** Milliseconds since 1970. */
  at?: number;
  status?: Status;
  /** Why a message failed. */
  problem?: Problem;
  /** The API took the question for an attack and did not ask the model. */
  safety?: boolean;
  /** No model could answer; the text is a stand-in. */
  degraded?: boolean;
  /** For lines that nobody said: a person took over, the assistant answers again. */
  notice?: 'human' | 'ai' | 'closed';
}

export interface Session {
  token: string;
  session_id: string;
  expires_at: string;
  verified: boolean;
  messages_remaining: number;
}

export interface Preferences {
  consent?: string;
  retention?: string;
  privacy?: string;
  session_hours?: number;
  max_message_length?: number;
}

export class Problem extends Error {
  /** The API's stable code, or `offline`, `network`, `cors`. */
  code: string;
  /** The HTTP status; 0 where there was no response. */
  status: number;
  /** Seconds until it is worth trying again; 0 where the API did not say. */
  retryAfter: number;
  errors: { field: string; code: string; detail: string }[];
}

export interface ClientEvents {
  /** Something that is shown changed. */
  change: undefined;
  /** The conversation is loaded. */
  ready: undefined;
  /** Somebody else said something, whole. */
  message: Message;
  /** A piece of an answer in the making. */
  delta: { answer_id: string; text: string };
  status: { responder: 'ai' | 'human'; isActive: boolean };
  session: { state: 'open' | 'reset' | 'session_expired' | 'session_closed' | 'invalid_token' };
  connection: 'idle' | 'connecting' | 'open' | 'offline';
}

export class ChatClient extends EventTarget {
  /** `api`: where Chatsite is; by default where this script came from. */
  constructor(options?: { api?: string });

  readonly api: string;
  readonly messages: Message[];
  readonly session: Session | null;
  /** The address last used. */
  readonly email: string;
  /** The answer in the making. */
  readonly running: Message | undefined;
  readonly hasEarlier: boolean;
  /** Messages of others since `seen()`. */
  readonly unread: number;
  readonly responder: 'ai' | 'human';
  readonly connection: ClientEvents['connection'];
  /** When the next message may be sent, in milliseconds since 1970; after a 429. */
  readonly waitUntil: number;
  /** Messages that the session may still send. */
  readonly remaining: number | undefined;
  /** Who is writing, besides the assistant. */
  readonly typing: 'staff' | null;
  /** What is being written; outlives the page. */
  draft: string;

  /** Takes up the session of this browser, if there is one. Call it once the listeners are on. */
  start(): void;
  /** Throws Problem. */
  signIn(email: string): Promise<'signed_in' | 'code_sent'>;
  /** Throws Problem. */
  verify(email: string, code: string): Promise<'signed_in' | 'code_sent'>;
  /** Ends the session and forgets everything in this browser. */
  reset(): Promise<void>;
  /** Shown at once, kept until the API has it, posted once; the message's key. */
  send(text: string): string;
  retry(key: string): void;
  discard(key: string): void;
  /** Stops the model; what it wrote stays. */
  stop(answerId?: string): Promise<void>;
  /** Loads the page of the history before what is known. */
  earlier(): Promise<void>;
  /** Everything so far was seen. */
  seen(): void;
  preferences(): Promise<Preferences>;
  on<Name extends keyof ClientEvents>(
    name: Name, listener: (detail: ClientEvents[Name]) => void,
  ): () => void;
}
