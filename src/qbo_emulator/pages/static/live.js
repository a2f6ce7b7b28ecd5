// Keeps what a page shows up to date, and tells of an invoice that has just arrived: one click leads to it.
"use strict";

const { realm } = document.body.dataset;
let { pulse } = document.body.dataset;
let latest = Number(document.body.dataset.latest);

function rowsOf(part) {
  return new Map([...part.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row.textContent]));
}

async function refresh() {
  const parts = [...document.querySelectorAll("[data-live]")];
  if (parts.length === 0) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.getAttribute("href");
  for (const part of parts) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.dataset.shown) continue;
    const before = rowsOf(part);
    part.dataset.shown = next.innerHTML;
    part.replaceChildren(...next.childNodes);
    for (const row of part.querySelectorAll("[data-row]")) {
      if (before.get(row.dataset.row) !== row.textContent) row.classList.add("fresh");
    }
  }
  if (focused) document.querySelector(`main [href="${CSS.escape(focused)}"]`)?.focus();
}

function announce(invoice) {
  const link = document.createElement("a");
  link.href = `/app/invoice?txnId=${invoice.id}&realmId=${realm}`;
  link.textContent = `Invoice ${invoice.number || "without number"} for ${invoice.customer}`;
  const said = document.getElementById("arrival");
  said.replaceChildren(link, " has just arrived.");
  said.hidden = false;
}

async function look() {
  if (document.hidden) return;
  const answer = await fetch(`/app/pulse?realmId=${realm}`);
  if (!answer.ok) return;
  const now = await answer.json();
  if (now.pulse === pulse) return;
  pulse = now.pulse;
  if (now.latest && Number(now.latest.id) > latest) {
    latest = Number(now.latest.id);
    announce(now.latest);
  }
  await refresh();
}

async function watch() {
  try {
    await look();
  } catch (error) {
    // The emulator is being restarted; the next look may find it again.
    console.warn(error);
  }
  setTimeout(watch, 1000);
}

if (realm) setTimeout(watch, 1000);
document.addEventListener("visibilitychange", () => {
  if (realm && !document.hidden) look().catch(console.warn);
});
