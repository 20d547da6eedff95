import { type PageText, pageTexts } from '../i18n/page';
import { en, type TextKey } from './texts/en';
import { zh } from './texts/zh';

export type MonitorText = PageText<TextKey>;
export type { TextKey };

/** What these pages say. */
export const { use: useTexts } = pageTexts<TextKey>('monitors', { en, zh });
