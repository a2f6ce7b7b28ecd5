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

  function ask(address, method) {
    // A network that swallows what is sent would keep it asking for minutes.
    var asked = new AbortController();
    var limit = window.setTimeout(function () {
      asked.abort();
    }, 5000);
    return fetch(address, { method: method, cache: "no-store", signal: asked.signal }).finally(function () {
      window.clearTimeout(limit);
    });
  }

  // A page that was left open over the end of its session: the sign-in page would take the place of what was typed on
  // it. Nothing of it is kept anywhere but on the page, and it's sent in the name of nobody but whose page it is.
  var content = document.getElementById("content");
  var who = content ? content.dataset.who : "";
  var isTyped = false;
  // A page that came a moment ago and was looked at ever since is still its person's: it needn't ask before it sends.
  var KNOWN_FOR_MS = 60000;
  var knownAt = Date.now();
  var wasLeft = false;

  function mayHaveEnded() {
    // The distance: a clock that was put back says nothing either.
    return wasLeft || Math.abs(Date.now() - knownAt) > KNOWN_FOR_MS;
  }

  function noteLeft() {
    wasLeft = true;
  }

  function showWhoIsIn(id) {
    if (id) noteLeft();
    ["signed-out", "someone-else", "another-firm"].forEach(function (each) {
      var note = document.getElementById(each);
      if (note) note.hidden = each !== id;
    });
  }

  var TYPED_IN = ["textarea", "input:not([type])"].concat(
    ["text", "email", "number", "date"].map(function (type) {
      return "input[type=" + type + "]";
    })
  );

  // Not form.method: in a form with a field of that name it's the field.
  function isSentBy(form, method) {
    return (form.getAttribute("method") || "get").toLowerCase() === method;
  }

  function holdsText(form) {
    return isSentBy(form, "post") && form.querySelector(TYPED_IN.join(","));
  }

  function mustAsk(form) {
    return who && holdsText(form) && mayHaveEnded();
  }

  function renewToken(token) {
    document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach(function (field) {
      field.value = token;
    });
  }

  // A new session opens a person's first firm, whichever the page is of.
  function noteFor(found) {
    if (found === who) return "";
    return found.split(" ")[0] === who.split(" ")[0] ? "another-firm" : "someone-else";
  }

  // Whether what is typed may be sent: it's the same person in the same firm, who may have signed in anew.
  function isStillIn() {
    return ask("/accounts/signed-in", "GET").then(function (answer) {
      if (answer.status === 401) {
        showWhoIsIn("signed-out");
        return false;
      }
      if (!answer.ok) throw new Error("no answer");
      return answer.json().then(function (found) {
        var isSame = found.who === who;
        showWhoIsIn(noteFor(found.who));
        if (isSame) {
          renewToken(found.token);
          knownAt = Date.now();
          wasLeft = false;
        }
        return isSame;
      });
    });
  }

  function submitIfReached(form, pressed) {
    if (isAsking) return;
    isAsking = true;
    var mayGo = isUnreachable || !navigator.onLine ? ask("/healthz", "HEAD") : Promise.resolve({ ok: true });
    mayGo
      .then(function (answer) {
        showReach(answer.ok);
        return answer.ok && (!mustAsk(form) || isStillIn());
      })
      .catch(function () {
        showReach(false);
        return false;
      })
      .then(function (isGoing) {
        isAsking = false;
        if (!isGoing) return;
        wasReached = true;
        try {
          form.requestSubmit(pressed);
        } finally {
          wasReached = false;
        }
      });
  }

  document.addEventListener("input", function (event) {
    if (event.target.form && isSentBy(event.target.form, "post")) isTyped = true;
  });
  // In another tab or window somebody may sign out, or open another firm.
  window.addEventListener("blur", noteLeft);
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden") noteLeft();
    var note = document.getElementById("signed-out");
    if (document.visibilityState === "visible" && note && !note.hidden) isStillIn().catch(function () {});
  });

  document.addEventListener("htmx:sendError", function () {
    showReach(false);
  });
  document.addEventListener("htmx:beforeOnLoad", function (event) {
    // From 502 on it's a proxy's word: there's no Cone behind it just now.
    showReach(event.detail.xhr.status < 502);
    // A part of the page that asks to sign in must not take away what was typed on the rest.
    var elsewhere = event.detail.xhr.getResponseHeader("HX-Redirect") || "";
    if (isTyped && elsewhere.indexOf("/accounts/login/") === 0) {
      event.preventDefault();
      showWhoIsIn("signed-out");
    }
  });

  // One click, one request: a second press while the first is under way would do it twice.
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || isSentBy(event.target, "dialog")) return;
    var pressed = event.submitter;
    // Offline says little of a Cone on this very machine: so it's asked.
    if (!wasReached && (isUnreachable || !navigator.onLine || mustAsk(event.target))) {
      event.preventDefault();
      submitIfReached(event.target, pressed);
      return;
    }
    window.setTimeout(function () {
      if (pressed) pressed.disabled = true;
    });
  });
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) noteLeft();
    document.querySelectorAll("button:disabled[type=submit]:not([data-off])").forEach(function (button) {
      button.disabled = false;
    });
  });

  document.querySelectorAll("[data-script]").forEach(function (part) {
    part.hidden = false;
  });
  showTheme();
})();
