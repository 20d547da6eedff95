/** The colour of a series beside its name. The colour is set through the style object, which a strict CSP allows. */
export function Swatch({ color }: { color: string }) {
  return <span className="swatch" style={{ background: color }} aria-hidden="true" />;
}
