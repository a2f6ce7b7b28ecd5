// Runs before the first paint: the reader's own choice of light or dark, when there is one.
(function () {
  try {
    var theme = localStorage.getItem("cone-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (refused) {
    // Storage may be forbidden; the system's preference stands.
  }
})();
