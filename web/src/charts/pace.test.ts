import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DRAW_REST_MS, PacedDrawing } from './pace';

describe('drawing at a pace', () => {
  let drawn: string[];
  let drawing: PacedDrawing;
  const next = (what: string, signature = 'same') => drawing.next(signature, () => drawn.push(what));

  beforeEach(() => {
    vi.useFakeTimers();
    drawn = [];
    drawing = new PacedDrawing();
    drawing.see(true);
  });
  afterEach(() => {
    drawing.stop();
    vi.useRealTimers();
  });

  it('draws the first as soon as it is its turn, and of what follows within a second the newest', () => {
    next('a');
    expect(drawn).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(drawn).toEqual(['a']);
    next('b');
    next('c');
    expect(drawn).toEqual(['a']);
    vi.advanceTimersByTime(DRAW_REST_MS - 1);
    expect(drawn).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(drawn).toEqual(['a', 'c']);
    vi.advanceTimersByTime(10 * DRAW_REST_MS);
    expect(drawn).toEqual(['a', 'c']);
  });

  it('draws what somebody has asked for at once', () => {
    next('a');
    vi.advanceTimersByTime(0);
    next('b');
    next('hovered', 'other');
    expect(drawn).toEqual(['a', 'hovered']);
    vi.advanceTimersByTime(10 * DRAW_REST_MS);
    expect(drawn).toEqual(['a', 'hovered']);
  });

  it('draws out of sight only what has another signature, and the newest once it is seen', () => {
    drawing.see(false);
    next('a');
    vi.advanceTimersByTime(0);
    next('b');
    next('c');
    vi.advanceTimersByTime(10 * DRAW_REST_MS);
    expect(drawn).toEqual(['a']);
    next('resized', 'other');
    expect(drawn).toEqual(['a', 'resized']);
    next('d', 'other');
    vi.advanceTimersByTime(10 * DRAW_REST_MS);
    drawing.see(true);
    expect(drawn).toEqual(['a', 'resized', 'd']);
  });

  it('draws many charts for the first time in tasks of their own, the newest of each', () => {
    const others = [new PacedDrawing(), new PacedDrawing()];
    next('a', 'old');
    next('b', 'new');
    for (const [i, other] of others.entries()) other.next('same', () => drawn.push(`other ${i}`));
    vi.advanceTimersToNextTimer();
    expect(drawn).toEqual(['b']);
    vi.advanceTimersToNextTimer();
    expect(drawn).toEqual(['b', 'other 0']);
    vi.advanceTimersToNextTimer();
    expect(drawn).toEqual(['b', 'other 0', 'other 1']);
  });

  it('draws nothing once it has stopped', () => {
    next('a');
    drawing.stop();
    vi.advanceTimersByTime(0);
    expect(drawn).toEqual([]);
    next('a');
    vi.advanceTimersByTime(0);
    next('b');
    drawing.stop();
    vi.advanceTimersByTime(10 * DRAW_REST_MS);
    expect(drawn).toEqual(['a']);
  });
});
