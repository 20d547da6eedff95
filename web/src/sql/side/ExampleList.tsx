import type { Example } from '../examples';
import { texts } from '../texts';

interface Props {
  examples: readonly Example[];
  onOpen: (example: Example) => void;
}

/** Statements that show what may be asked, over what this server has. */
export function ExampleList({ examples, onOpen }: Props) {
  const t = texts.use();
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
            <b>{t(`example.${example.kind}`, example.about)}</b>
            <code>{example.sql}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}
