// Runs before the first paint, so that a chosen theme never flashes the other one. Without a choice the
// system's is used, which is CSS's own doing. A file, not an inline script: the page's policy allows no other.
(() => {
  try {
    const theme = localStorage.getItem("moonlock.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
