import { TITLE_MAX } from '../draft';
import { FieldGroup } from '../Field';
import { boardTexts } from '../texts';

interface Props {
  control: string;
  label: string;
  en: string;
  zh: string;
  hint?: string;
  onChange: (patch: { titleEn?: string; titleZh?: string }) => void;
}

/** A title in both languages. Each field says which one it is for, and spells by it. */
export function TitleFields({ control, label, en, zh, hint, onChange }: Props) {
  const t = boardTexts.use();
  return (
    <FieldGroup control={control} label={label} {...(hint ? { hint } : {})}>
      <div className="be-pair">
        <label className="be-tongue">
          <span>English</span>
          <input
            type="text"
            lang="en"
            value={en}
            maxLength={TITLE_MAX}
            autoComplete="off"
            aria-label={t('field.in', { label, language: 'English' })}
            onChange={({ target }) => onChange({ titleEn: target.value })}
          />
        </label>
        <label className="be-tongue">
          <span lang="zh-CN">中文</span>
          <input
            type="text"
            lang="zh-CN"
            value={zh}
            maxLength={TITLE_MAX}
            autoComplete="off"
            aria-label={t('field.in', { label, language: '中文' })}
            onChange={({ target }) => onChange({ titleZh: target.value })}
          />
        </label>
      </div>
    </FieldGroup>
  );
}
