import { type ComponentProps, lazy, Suspense } from 'react';
import './definitions.css';

/** The editor is large and only wanted here and there. */
const YamlEditor = lazy(() => import('./YamlEditor'));

/** The editor, and the bare text until it is there. */
export function YamlBox(props: ComponentProps<typeof YamlEditor>) {
  return (
    <Suspense
      fallback={
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
        <pre className="def-editor def-plain" tabIndex={0}>
          {props.text}
        </pre>
      }
    >
      <YamlEditor {...props} />
    </Suspense>
  );
}
