// A curve over minutes as a small SVG that stands in a document.
const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 48;
const BOTTOM = 28;
const TOP = 24;

/** `rows` have `minute` and the value at `key`; the scale begins at zero. */
export function curve(rows, key, title) {
  const highest = Math.max(...rows.map((row) => row[key])) * 1.2;
  const last = rows.at(-1).minute;
  const x = (minute) => LEFT + (minute / last) * (WIDTH - LEFT - 12);
  const y = (value) => HEIGHT - BOTTOM - (value / highest) * (HEIGHT - BOTTOM - TOP);
  const line = rows.map((row) => `${x(row.minute).toFixed(1)},${y(row[key]).toFixed(1)}`).join(' ');
  const text = (atX, atY, said, anchor) =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}">${said}</text>`;
  const step = niceStep(highest / 4);
  const marks = [];
  for (let value = 0; value <= highest; value += step)
    marks.push(
      `<path d="M${LEFT} ${y(value).toFixed(1)}H${WIDTH - 12}" stroke="#8884"/>`,
      text(LEFT - 6, (y(value) + 4).toFixed(1), Number(value.toFixed(3)), 'end'),
    );
  const minutes = niceStep(last / 6);
  for (let minute = 0; minute <= last; minute += minutes)
    marks.push(text(x(minute).toFixed(1), HEIGHT - 10, `${minute} min`, 'middle'));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#777">
${text(LEFT, 14, title, 'start')}
${marks.join('\n')}
<polyline points="${line}" fill="none" stroke="#3b7ddd" stroke-width="1.75"/>
</svg>
`;
}

function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].map((one) => one * power).find((step) => step >= about);
}
