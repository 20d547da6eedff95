import { pageTexts } from '../../i18n/page';
import { en, type WallText } from './en';
import { zh } from './zh';

/** What the wall screen says. */
export const wallTexts = pageTexts<WallText>('wall', { en, zh });
