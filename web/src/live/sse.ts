/** One message of a `text/event-stream`. */
export interface SseEvent {
  /** The `event:` field; `message` where there is none. */
  type: string;
  data: string;
  /** The last `id:` seen so far, empty where there was none. */
  lastEventId: string;
}

/** A single event may not make the page hold more than this; a longer one closes the stream. */
export const SSE_EVENT_CHARS_MAX = 8 * 1024 * 1024;

/**
 * Incremental parser of `text/event-stream`. The page reads the stream through `fetch` instead of `EventSource`,
 * because only `fetch` shows the status code of a refusal, sends an `Authorization` header and can be watched
 * for silence.
 */
export class SseParser {
  #buffer = '';
  #data: string[] = [];
  #dataChars = 0;
  #type = '';
  #lastEventId = '';
  #retryMs: number | null = null;

  /** The delay that the server last asked for by `retry:`. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /** Takes a piece of text, cut anywhere, and returns the events that it completes. */
  feed(chunk: string): SseEvent[] {
    this.#buffer += chunk;
    const events: SseEvent[] = [];
    let start = 0;
    for (;;) {
      const end = this.#lineEnd(start);
      if (end === null) break;
      const event = this.#line(this.#buffer.slice(start, end.at));
      if (event) events.push(event);
      start = end.next;
    }
    this.#buffer = this.#buffer.slice(start);
    if (this.#buffer.length + this.#dataChars > SSE_EVENT_CHARS_MAX) throw new Error('event too large');
    return events;
  }

  /** A line ends at LF, CR or CR LF; a CR that ends the chunk may be half of a pair and has to wait. */
  #lineEnd(start: number): { at: number; next: number } | null {
    for (let i = start; i < this.#buffer.length; i += 1) {
      const code = this.#buffer.charCodeAt(i);
      if (code === 10) return { at: i, next: i + 1 };
      if (code === 13) {
        if (i + 1 === this.#buffer.length) return null;
        return { at: i, next: this.#buffer.charCodeAt(i + 1) === 10 ? i + 2 : i + 1 };
      }
    }
    return null;
  }

  #line(line: string): SseEvent | null {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'data') {
      this.#data.push(value);
      this.#dataChars += value.length;
    } else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
    return null;
  }

  #dispatch(): SseEvent | null {
    const event =
      this.#data.length > 0
        ? { type: this.#type || 'message', data: this.#data.join('\n'), lastEventId: this.#lastEventId }
        : null;
    this.#data = [];
    this.#dataChars = 0;
    this.#type = '';
    return event;
  }
}
