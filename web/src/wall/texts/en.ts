/** English. */
export const en = {
  title: 'Wall screen',
  at: '{{at}} of {{count}}',
  paused: 'Paused',
  pause: 'Pause',
  go: 'Go on',
  previous: 'Previous page',
  next: 'Next page',
  full: 'Full screen',
  leave: 'Leave',
  age: 'Newest event {{duration}} ago',
  'age.none': 'No events yet',
  'age.unknown': 'Age of the data not known yet',
  'none.title': 'There is nothing to show here',
  'none.text': 'None of these boards exists: {{names}}',
  'none.boards': 'All boards',
  crashed: 'Something went wrong on this screen',
  'crashed.again': 'It is loaded anew in {{seconds}} s.',
} as const;

export type WallText = keyof typeof en;
