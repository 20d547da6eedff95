import { pageTexts } from '../../i18n/page';
import { en, type PaletteText } from './en';
import { zh } from './zh';

export type { PaletteText };

/** What the palette and the list of keys say. */
export const paletteTexts = pageTexts<PaletteText>('palette', { en, zh });
