import type { TextDefinition } from '../../../api/types';
import { useSpeech } from '../../../i18n/hooks';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { paragraphs } from './paragraphs';

const nothing = { where: {}, ignored: [], excluded: null };

/** What somebody wants to be read beside the figures: plain text in paragraphs. */
export function TextPanel({ panel }: PanelProps<TextDefinition>) {
  const { text } = useSpeech();
  return (
    <PanelFrame kind="text" title={text(panel.title ?? undefined)} width={panel.width} applied={nothing}>
      <div className="text-body">
        {paragraphs(text(panel.text)).map((paragraph, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: paragraphs have an order and no names
          <p key={i} dir="auto">
            {paragraph}
          </p>
        ))}
      </div>
    </PanelFrame>
  );
}
