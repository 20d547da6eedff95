import { pageTexts } from '../../i18n/page';
import { type DataKey, en } from './en';
import { zh } from './zh';

export const dataTexts = pageTexts<DataKey>('data', { en, zh });
