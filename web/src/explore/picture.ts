/** What stands on a picture of a chart around its plot. All texts are drawn, none is markup. */
export interface Caption {
  title: string;
  subtitle: string;
  legend: { name: string; color: string; value: string }[];
  note: string;
}

/** Colours and type of the page, as a canvas needs them. */
export interface PictureStyle {
  surface: string;
  text: string;
  dim: string;
  family: string;
}

/** A shaded stretch, as an incident has one. */
export interface Band {
  fromPx: number;
  toPx: number;
  color: string;
}

export interface LegendPlace {
  x: number;
  /** Counted in rows. */
  row: number;
  text: string;
}

const MARGIN = 24;
const TITLE = 20;
const SMALL = 13;
const LINE = 20;
const SWATCH = 10;
const LEGEND_GAP = 20;
/** Kept free above the plot for flags, which the canvas of a chart does not hold; and below it for the times. */
const PLOT_TOP_REM = 1.25;
const PLOT_BOTTOM_REM = 1.5;

/** Where the entries of a legend stand when they are put in rows; one too long for a row is cut. */
export function legendPlaces(
  names: readonly string[],
  width: number,
  measure: (text: string) => number,
): LegendPlace[] {
  let x = 0;
  let row = 0;
  return names.map((name) => {
    const text = fitted(name, width - SWATCH - 6, measure);
    const needed = SWATCH + 6 + measure(text);
    if (x > 0 && x + needed > width) {
      x = 0;
      row += 1;
    }
    const place = { x, row, text };
    x += needed + LEGEND_GAP;
    return place;
  });
}

/** A text that is no wider than it may be. */
export function fitted(text: string, width: number, measure: (text: string) => number): string {
  if (measure(text) <= width) return text;
  const signs = [...text];
  let low = 0;
  let high = signs.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(`${signs.slice(0, middle).join('')}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return `${signs.slice(0, low).join('')}…`;
}

/** The canvas of a chart with its title, its legend and the zone of its times around it. */
export function pictureOf(
  plot: HTMLCanvasElement,
  ratio: number,
  caption: Caption,
  bands: readonly Band[],
  style: PictureStyle,
  remPx: number,
): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (!context) return plot;
  const width = plot.width / ratio + 2 * MARGIN;
  const inner = width - 2 * MARGIN;
  const small = `${SMALL}px ${style.family}`;
  const title = `600 ${TITLE}px ${style.family}`;
  const measured = (font: string) => (text: string) => {
    context.font = font;
    return context.measureText(text).width;
  };
  const texts = caption.legend.map(({ name, value }) => `${name}  ${value}`);
  const places = legendPlaces(texts, inner, measured(small));
  const rows = places.length > 0 ? (places.at(-1)?.row ?? 0) + 1 : 0;
  const plotTop = MARGIN + TITLE + LINE + 12;
  const plotHeight = plot.height / ratio;
  const legendTop = plotTop + plotHeight + 12;
  const height = legendTop + rows * LINE + LINE + MARGIN / 2;

  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.scale(ratio, ratio);
  context.fillStyle = style.surface;
  context.fillRect(0, 0, width, height);
  context.textBaseline = 'alphabetic';
  const write = (text: string, x: number, y: number, font: string, color: string) => {
    const shown = fitted(text, width - MARGIN - x, measured(font));
    context.font = font;
    context.fillStyle = color;
    context.fillText(shown, x, y);
  };
  write(caption.title, MARGIN, MARGIN + TITLE - 4, title, style.text);
  write(caption.subtitle, MARGIN, MARGIN + TITLE + LINE - 4, small, style.dim);
  context.drawImage(plot, MARGIN, plotTop, plot.width / ratio, plotHeight);
  for (const { fromPx, toPx, color } of bands) {
    const [x, top] = [MARGIN + fromPx / ratio, plotTop + PLOT_TOP_REM * remPx];
    const bottom = plotTop + plotHeight - PLOT_BOTTOM_REM * remPx;
    context.fillStyle = color;
    context.globalAlpha = 0.12;
    context.fillRect(x, top, Math.max(1, (toPx - fromPx) / ratio), bottom - top);
    context.globalAlpha = 1;
    context.fillRect(x, top, 1, bottom - top);
  }
  for (const [i, { x, row, text }] of places.entries()) {
    const y = legendTop + row * LINE + LINE / 2;
    context.fillStyle = caption.legend[i]?.color ?? style.dim;
    context.fillRect(MARGIN + x, y - SWATCH / 2 - 1, SWATCH, SWATCH);
    write(text, MARGIN + x + SWATCH + 6, y + SMALL / 3, small, style.text);
  }
  write(caption.note, MARGIN, height - MARGIN / 2 - 4, small, style.dim);
  return canvas;
}
