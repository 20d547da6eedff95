import { useSpeech } from '../../i18n/hooks';
import type { Example } from '../examples';
import { texts } from '../texts';

/** What has a name for people; streams and zones are called as they are written. */
const spoken = new Set(['metric', 'dimension', 'field']);

interface Props {
  examples: readonly Example[];
  onOpen: (example: Example) => void;
}

/** Statements that show what may be asked, over what this server has. */
export function ExampleList({ examples, onOpen }: Props) {
  const t = texts.use();
  const { dimension } = useSpeech();
  // Names as people say them; the statement below shows them as they are written.
  const titleOf = ({ kind, about }: Example) => {
    const said = Object.entries(about).map(([what, name]) => [
      what,
      spoken.has(what) ? dimension(name) : name,
    ]);
    return t(`example.${kind}`, Object.fromEntries(said));
  };
  return (
    <ul className="sql-examples" data-testid="sql-examples">
      {examples.map((example) => (
        <li key={example.kind}>
          <button
            type="button"
            className="sql-example"
            data-example={example.kind}
            onClick={() => onOpen(example)}
          >
            <b>{titleOf(example)}</b>
            <code>{example.sql}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}
