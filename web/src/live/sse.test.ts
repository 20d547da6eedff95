import { describe, expect, it } from 'vitest';
import { SSE_EVENT_CHARS_MAX, SseParser } from './sse';

describe('SseParser', () => {
  it('gives the same events however the text is cut', () => {
    const text =
      ': hello\r\nevent: snapshot\r\nid: 7\r\ndata: {"a":\ndata: 1}\n\nevent: heartbeat\rdata:{}\r\r\ndata: x\n\n';
    const whole = new SseParser().feed(text);
    expect(whole).toEqual([
      { type: 'snapshot', data: '{"a":\n1}', lastEventId: '7' },
      { type: 'heartbeat', data: '{}', lastEventId: '7' },
      { type: 'message', data: 'x', lastEventId: '7' },
    ]);
    for (let cut = 1; cut < text.length; cut += 1) {
      const parser = new SseParser();
      expect([...parser.feed(text.slice(0, cut)), ...parser.feed(text.slice(cut))], `cut at ${cut}`).toEqual(
        whole,
      );
    }
  });

  it('ignores an event without data and an unfinished one', () => {
    const parser = new SseParser();
    expect(parser.feed('event: update\n\n')).toEqual([]);
    expect(parser.feed('event: update\ndata: half')).toEqual([]);
  });

  it('takes the delay that the server asks for', () => {
    const parser = new SseParser();
    parser.feed('retry: 3000\nretry: soon\n');
    expect(parser.retryMs).toBe(3000);
  });

  it('refuses an event that would fill the memory', () => {
    const parser = new SseParser();
    expect(() => parser.feed(`data: ${'x'.repeat(SSE_EVENT_CHARS_MAX)}`)).toThrow('too large');
  });
});
