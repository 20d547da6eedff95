// Runs before the first paint, so that a chosen theme or language does not flash the other one first.
(() => {
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  try {
    const chosen = localStorage.getItem('tillwatch.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
    const language = localStorage.getItem('tillwatch.language');
    if (language === 'en' || language === 'zh')
      document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  } catch {
    // Storage may be forbidden; the system's theme is then the right one.
  }
})();
