/** The widget's element and the page's way to it. See docs/widget.md. */
import type { ChatClient, ClientEvents, Message } from './client.js';

export interface WidgetEvents {
  ready: null;
  open: null;
  close: null;
  message: Message;
  /** How many messages are unread. */
  unread: number;
  session: ClientEvents['session']['state'];
}

export interface WidgetMethods {
  open(): Promise<void>;
  close(): void;
  /** Sends as if the visitor had typed it; before sign-in it waits for that. */
  send(text: string): Promise<string>;
  /** Signs in without the form. */
  identify(who: { email: string }): Promise<'signed_in' | 'code_sent'>;
  reset(): Promise<void>;
  on<Name extends keyof WidgetEvents>(
    name: Name, listener: (detail: WidgetEvents[Name]) => void,
  ): () => void;
}

export interface WidgetOptions {
  api?: string;
  name?: string;
  greeting?: string;
  intro?: string;
  /** Separated by `|`. */
  suggestions?: string;
  consent?: string;
  retention?: string;
  privacy?: string;
  email?: string;
  position?: 'left' | 'right';
  theme?: 'light' | 'dark';
  accent?: string;
  lang?: string;
  dir?: 'ltr' | 'rtl';
  /** Open at once. */
  open?: '';
  /** Texts by language, over the widget's own. */
  texts?: Record<string, Record<string, string>>;
}

export interface ChatsiteWidget extends HTMLElement, WidgetMethods {
  client: ChatClient;
}

export interface Chatsite extends WidgetMethods {
  boot(options?: WidgetOptions): ChatsiteWidget;
  push(call: [name: string, ...args: unknown[]]): void;
  readonly element: ChatsiteWidget | undefined;
}

declare global {
  interface Window { chatsite: Chatsite | unknown[] }
  interface HTMLElementTagNameMap { 'chatsite-widget': ChatsiteWidget }
}
