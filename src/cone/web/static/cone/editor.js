// The invoice editor: what somebody typed stays, though a service's choice or an answer on its way would fill it.
(function () {
  "use strict";
  var LINE = /^line-(\d+)-(\w+)$/;
  var form = document.getElementById("invoice-form");
  if (!form) return;
  // What was typed since the lines were asked for anew, by the field's name; null while no answer is awaited.
  var since = null;
  var removed = -1;
  var caret = null;
  // The field that was entered, with all of it selected or nothing in it yet: what is typed next takes the place of all.
  var entered = "";

  function field(line, name) {
    return form.elements["line-" + line + "-" + name];
  }

  // The form says which fields of a line were typed: choosing a service leaves those alone.
  function mark(line, name) {
    var typed = field(line, "typed");
    var names = typed.value.split(" ");
    if (names.indexOf(name) < 0) typed.value = names.concat(name).join(" ").trim();
  }

  function isOfLines(event) {
    return event.detail.target.id === "editor";
  }

  form.addEventListener("input", function (event) {
    // Whatever the field: selecting it now would have the next letter replace this one.
    entered = "";
    var found = LINE.exec(event.target.name || "");
    if (!found || found[2] === "service") return;
    mark(found[1], found[2]);
    if (since) since[event.target.name] = event.target.value;
  });

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (!isOfLines(event)) return;
    var action = /^remove:(\d+)$/.exec(event.detail.requestConfig.formData.get("action") || "");
    removed = action ? Number(action[1]) : -1;
    since = {};
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    if (!isOfLines(event)) return;
    var active = document.activeElement;
    caret = active && "selectionStart" in active ? [active.selectionStart, active.selectionEnd] : null;
    entered = caret && caret[0] === 0 && caret[1] === active.value.length ? active.name : "";
  });

  function restore(name, text) {
    var found = LINE.exec(name);
    var line = Number(found[1]);
    if (line === removed) return null;
    var place = removed >= 0 && line > removed ? line - 1 : line;
    var control = field(place, found[2]);
    if (!control) return null;
    mark(place, found[2]);
    if (control.value === text) return null;
    control.value = text;
    if (caret && control === document.activeElement) control.setSelectionRange(caret[0], caret[1]);
    return control;
  }

  document.addEventListener("htmx:afterSwap", function (event) {
    if (!isOfLines(event) || !since) return;
    var typed = since;
    since = null;
    var changed = Object.keys(typed).map(function (name) {
      return restore(name, typed[name]);
    });
    var last = changed.filter(Boolean).pop();
    // The figures in the answer are those of what was sent.
    if (last) last.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // Only by now the field has what the service fills in.
  document.addEventListener("htmx:afterSettle", function (event) {
    if (!isOfLines(event) || !entered) return;
    var active = document.activeElement;
    if (active && active.name === entered && active.select) active.select();
    entered = "";
  });
})();
