import { pageTexts } from '../i18n/page';
import { en, type SqlKey } from './texts/en';
import { zh } from './texts/zh';

export type { SqlKey } from './texts/en';

export const texts = pageTexts<SqlKey>('sql', { en, zh });
