// What the pages do beyond HTML: keep the place when a part is renewed, print, say how far an upload is.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const said = () => document.getElementById("said");
  let kept = null;

  // What is told once goes when it is touched, or by itself unless something went wrong.
  const told = (node) => {
    if (node && !node.matches(".wrong")) setTimeout(() => node.remove(), 9000);
  };
  document.addEventListener("DOMContentLoaded", () => told(said().firstElementChild));
  if (document.readyState !== "loading") told(said() && said().firstElementChild);

  document.addEventListener("click", (event) => {
    if (event.target.closest("#said > *") && !event.target.closest("a")) said().replaceChildren();
    if (event.target.closest("[data-print]")) window.print();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // Before a part of the page is renewed: which drawers are open, what is typed, where the eye is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (form && form.matches("[data-watch]")) return;
    const card = form && form.closest("section.card[id], aside details[id], .given");
    kept = {
      open: [...document.querySelectorAll("main details[id][open]")].map((each) => each.id),
      place: card ? card.id : "",
      top: card ? card.getBoundingClientRect().top : 0,
      sent: form ? form.id : "",
      typed: [...document.querySelectorAll("main form[id] input:not([type=hidden]):not([type=file]), main textarea[id], main select[id]")]
        .filter((each) => each.id && (!form || !form.contains(each)) && each.value !== (each.defaultValue || ""))
        .map((each) => [each.id, each.value]),
    };
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!kept) return;
    told(said() && said().firstElementChild);
    const { open, place, top, typed } = kept;
    kept = null;
    for (const id of open) {
      const drawer = document.getElementById(id);
      if (drawer && !drawer.classList.contains("act") && !drawer.closest(".settled")) drawer.open = true;
    }
    // Of two drawers of one name, the new one closes while the old one is still there.
    for (const drawer of document.querySelectorAll("details[data-open]")) drawer.open = true;
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field) field.value = value;
    }
    const wrong = document.querySelector("#faults, [aria-invalid=true], #conflict, #brought, .bring .wrong");
    let card = place && document.getElementById(place);
    if (place && !card) { // it says something else now: the first card of the same solution
      const start = place.replace(/-[0-9a-f]{10}(-\d+)?$/, "-");
      card = [...document.querySelectorAll("section.card[id]")].find((each) => each.id.startsWith(start));
    } else if (card && !card.matches("section, details")) card = card.closest("section.card");
    if (card) window.scrollBy({ top: card.getBoundingClientRect().top - top, behavior: "instant" });
    if (wrong && wrong.focus && wrong.matches("input, textarea, select")) wrong.focus();
    else if (wrong) { wrong.tabIndex = -1; wrong.focus(); }
    else if (card) (card.matches("details") ? card.querySelector("summary") : card).focus({ preventScroll: true });
    else if (said() && (!document.activeElement || document.activeElement === document.body)) said().focus({ preventScroll: true });
  });

  // What was typed before the page was ready counts too.
  document.addEventListener("htmx:load", (event) => {
    for (const field of event.target.querySelectorAll("[hx-trigger$=early]")) {
      if (field.value !== field.defaultValue) field.dispatchEvent(new Event("early"));
    }
  });

  const byItself = (event) => event.target.matches && event.target.matches("[data-watch]"); // nobody did anything
  const offline = (event) => {
    if (byItself(event)) return; // it asks again
    said().replaceChildren(document.getElementById("offline").content.cloneNode(true));
  };
  document.addEventListener("htmx:sendError", offline);
  document.addEventListener("htmx:timeout", offline);

  // A page that nobody used for as long as a session lives is left: what it shows is not for whoever comes by.
  const { idle, here } = document.body.dataset;
  if (idle) {
    let last = Date.now();
    const used = () => { last = Date.now(); };
    const look = () => {
      if (Date.now() - last > idle * 1000) location.replace(`/sign-in?next=${encodeURIComponent(here)}`);
    };
    document.addEventListener("input", used);
    document.addEventListener("htmx:afterRequest", (event) => { if (!byItself(event)) used(); });
    document.addEventListener("visibilitychange", look);
    setInterval(look, 15000);
  }

  // How far an upload is, with a number; web.css shows it only when it lasts.
  document.addEventListener("htmx:xhr:loadstart", (event) => {
    const bar = event.target.querySelector && event.target.querySelector("progress");
    if (bar) { bar.hidden = false; bar.removeAttribute("value"); }
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = event.target.querySelector && event.target.querySelector("progress");
    if (bar && event.detail.lengthComputable) bar.value = (100 * event.detail.loaded) / event.detail.total;
  });
  document.addEventListener("htmx:xhr:loadend", (event) => {
    const bar = event.target.querySelector && event.target.querySelector("progress");
    if (bar) bar.hidden = true;
  });

  // The code of an invitation stands after the # of its link: taken from there, then gone from the address.
  const invited = () => {
    const field = document.querySelector("form.invitation input[name=code]");
    if (!field || location.hash.length < 9) return;
    field.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    document.querySelector("form.invitation input[type=password]").focus();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", invited);
  else invited();
})();
