import { pageTexts } from '../../../i18n/page';
import { en, type WalkKey } from './en';
import { zh } from './zh';

export const walkTexts = pageTexts<WalkKey>('walk', { en, zh });
