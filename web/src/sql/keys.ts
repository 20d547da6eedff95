const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/** What the reader of this machine is told to press. */
export const runKeys = isApple ? '⌘ ↵' : 'Ctrl ↵';
export const saveKeys = isApple ? '⌘ S' : 'Ctrl S';
