// Small comforts; every page works without this file.
(function () {
  "use strict";
  var root = document.documentElement;

  function chosenTheme() {
    return root.dataset.theme || "system";
  }

  function showTheme() {
    document.querySelectorAll("[data-theme-choice]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosenTheme()));
    });
  }

  function chooseTheme(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      if (theme === "system") localStorage.removeItem("cone-theme");
      else localStorage.setItem("cone-theme", theme);
    } catch (refused) {
      // The choice then lasts for this page only.
    }
    showTheme();
  }

  function closeMenus(except) {
    document.querySelectorAll("details.me[open]").forEach(function (menu) {
      if (menu !== except) menu.open = false;
    });
  }

  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-opens], [data-closes], [data-theme-choice], [data-copy]");
    closeMenus(event.target.closest("details.me"));
    if (event.target instanceof HTMLDialogElement) event.target.close();
    if (!target) return;
    if (target.dataset.opens) {
      var dialog = document.getElementById(target.dataset.opens);
      if (dialog) {
        event.preventDefault();
        dialog.showModal();
      }
    } else if ("closes" in target.dataset) {
      event.preventDefault();
      target.closest("dialog").close();
    } else if (target.dataset.themeChoice) {
      chooseTheme(target.dataset.themeChoice);
    } else if (target.dataset.copy) {
      var field = document.getElementById(target.dataset.copy);
      field.select();
      navigator.clipboard.writeText(field.value).then(function () {
        target.textContent = "Copied";
      });
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.me[open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // While Cone can't be reached, a page stays with what was typed on it: the browser's own error page would take its place.
  var isUnreachable = false;
  var isAsking = false;
  var wasReached = false;

  function showReach(isReached) {
    var note = document.getElementById("unreachable");
    isUnreachable = !isReached;
    if (note) note.hidden = isReached;
  }

  function submitIfReached(form, pressed) {
    if (isAsking) return;
    isAsking = true;
    // A network that swallows what is sent would keep it asking for minutes.
    var asked = new AbortController();
    var limit = window.setTimeout(function () {
      asked.abort();
    }, 5000);
    fetch("/healthz", { method: "HEAD", cache: "no-store", signal: asked.signal })
      .then(function (answer) {
        return answer.ok;
      })
      .catch(function () {
        return false;
      })
      .then(function (isReached) {
        window.clearTimeout(limit);
        isAsking = false;
        showReach(isReached);
        if (!isReached) return;
        wasReached = true;
        try {
          form.requestSubmit(pressed);
        } finally {
          wasReached = false;
        }
      });
  }

  document.addEventListener("htmx:sendError", function () {
    showReach(false);
  });
  document.addEventListener("htmx:beforeOnLoad", function (event) {
    // From 502 on it's a proxy's word: there's no Cone behind it just now.
    showReach(event.detail.xhr.status < 502);
  });

  // One click, one request: a second press while the first is under way would do it twice.
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    var pressed = event.submitter;
    // Offline says little of a Cone on this very machine: so it's asked.
    if (!wasReached && (isUnreachable || !navigator.onLine)) {
      event.preventDefault();
      submitIfReached(event.target, pressed);
      return;
    }
    window.setTimeout(function () {
      if (pressed) pressed.disabled = true;
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("button:disabled[type=submit]:not([data-off])").forEach(function (button) {
      button.disabled = false;
    });
  });

  document.querySelectorAll("[data-script]").forEach(function (part) {
    part.hidden = false;
  });
  showTheme();
})();
