// Keeps a page current: when something happens in the node, what is marked
// data-live is read anew and put in place. Without this the page is the same.
"use strict";
let wanted = false, busy = false;
async function renew() {
  if (busy) { wanted = true; return; }
  busy = true;
  wanted = false;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
    if (answer.type === "opaqueredirect") { location.reload(); return; } // to the login, which says why
    if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* the node is away; the stream says when it is back */ }
  setTimeout(() => { busy = false; if (wanted) renew(); }, 1000);
}
function replace(page) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const now = page.getElementById(old.id);
    if (!now || now.innerHTML === old.innerHTML) continue;
    const focus = old.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const open = [...old.querySelectorAll("details")].map(d => d.open);
    old.className = now.className;
    old.replaceChildren(...now.childNodes);
    old.querySelectorAll("details").forEach((d, i) => { d.open = open[i]; });
    if (focus) old.querySelector(`a[href="${CSS.escape(focus)}"]`)?.focus();
  }
}
// A page that nobody sees lets go of its stream: a browser has six connections
// for all its tabs.
let stream;
function follow() {
  if (document.hidden) {
    stream?.close();
    stream = undefined;
  } else if (!stream) {
    stream = new EventSource("/console/events");
    for (const event of ["created", "changed", "purged", "removed"]) stream.addEventListener(event, renew);
    stream.addEventListener("open", renew);
  }
}
document.addEventListener("visibilitychange", follow);
follow();
