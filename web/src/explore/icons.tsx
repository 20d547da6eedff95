/** Icons of this page, by their paths; they stand beside words or have a label on their button. */
const paths = {
  down: 'M4 6.5 8 10.5 12 6.5',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.500',
  widen: 'M3.500 6.500V3.500h3M12.500 6.500V3.500h-3M3.500 9.500v3h3M12.500 9.500v3h-3',
  cross: 'M4.500 4.500l7 7M11.500 4.500l-7 7',
  plus: 'M8 3.500v9M3.500 8h9',
  filter: 'M2.500 3.500h11L9.500 8.500v4l-3-1.500v-2.500z',
  calendar: 'M2.500 4h11v9.500h-11zM2.500 7h11M5.500 2.500V5M10.500 2.500V5',
  search: 'M7 2.500a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9zM10.500 10.500 14 14',
  link: 'M6.500 9.500l3-3M7 4.500l1-1a3 3 0 0 1 4.500 4.500l-1 1M9 11.500l-1 1A3 3 0 0 1 3.500 8l1-1',
  save: 'M8 2.500v7.500M4.500 7 8 10.500 11.500 7M2.500 13.500h11',
  open: 'M6.500 3.500h6V9.500M12.500 3.500 4 12',
  flag: 'M4 14V2.500h8.500L10 5.750 12.500 9H4',
  code: 'M5.500 4.500 2 8l3.500 3.500M10.500 4.500 14 8l-3.500 3.500',
} as const;

export function PageIcon({ name }: { name: keyof typeof paths }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="1em"
      height="1em"
      aria-hidden="true"
      focusable="false"
      className="icon icon-line"
    >
      <path d={paths[name]} />
    </svg>
  );
}
