/**
 * Characters that turn the direction of whatever stands beside them, until somebody ends it: embeddings, overrides, isolates.
 * Marks, which are part of how Arabic and Hebrew are written, are none of them.
 */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/** A title without what would turn the words around it. */
export function withoutTurns(text: string): string {
  return text.replace(TURNING, '');
}

/** A value of the data, in which such characters are seen instead of obeyed: two values that differ look different. */
export function withSeenTurns(text: string): string {
  return text.replace(TURNING, '\ufffd');
}
