// Keeps the page fresh over server-sent events. Usable without it.
(() => {
  "use strict";
  const pad = (n) => String(n).padStart(2, "0");
  // Times come in the server's zone; show the reader's.
  const clock = (at) => pad(at.getHours()) + ":" + pad(at.getMinutes());
  const localise = (root) => {
    for (const el of root.querySelectorAll("time[data-clock], time[data-day]")) {
      const at = new Date(el.dateTime);
      const hm = clock(at);
      if ("day" in el.dataset) {
        el.textContent = at.toLocaleDateString("en-GB", { day: "2-digit", month: "short" }) + ", " + hm;
      } else {
        el.textContent = el.dataset.clock === "s" ? hm + ":" + pad(at.getSeconds()) : hm;
      }
      el.title = at.toLocaleString();
    }
  };
  localise(document);

  const topic = document.body.dataset.topic;
  if (!topic || !window.EventSource) return;
  const lamp = document.getElementById("live");
  const light = (on) => {
    lamp.hidden = false;
    lamp.textContent = on ? "live" : "paused";
    lamp.classList.toggle("off", !on);
  };

  // Said aloud when it changes; countdowns are not.
  const said = document.getElementById("said");
  const words = () => [...document.querySelectorAll("[data-say]")].map((e) => e.textContent.trim()).join(" ");
  let before = words();
  const say = () => {
    const text = words();
    if (said && text !== before) said.textContent = before = text;
  };

  // Opened details and the focused control survive a swap.
  const swap = (el, html) => {
    const open = [...el.querySelectorAll("details[open][id]")].map((d) => d.id);
    const controls = () => [...el.querySelectorAll("a, button, summary")];
    const focus = controls().find((c) => c === document.activeElement);
    const label = focus && focus.textContent;
    el.innerHTML = html;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    localise(el);
    if (focus) {
      const again = controls().find((c) => c.textContent === label);
      if (again) again.focus({ preventScroll: true });
    }
    say();
    const badge = el.querySelector(".headline .badge");
    if (badge) document.title = badge.textContent.trim() + " · " + document.title.split(" · ").pop();
  };

  // A swap under a finger that is pressing would lose the press: wait until it is up.
  let pressing = false;
  const waiting = new Map();
  const flush = () => {
    pressing = false;
    for (const [el, html] of waiting) swap(el, html);
    waiting.clear();
  };
  addEventListener("pointerdown", () => { pressing = true; });
  addEventListener("pointerup", () => setTimeout(flush, 150));
  addEventListener("pointercancel", flush);

  // A page that nothing reaches looks as calm as one where all is well: it says so, and asks again.
  const late = document.getElementById("late");
  let heard = Date.now(), lost = 0, source;
  const hear = () => { heard = Date.now(); lost = 0; late.hidden = true; light(true); };
  setInterval(() => {
    const now = Date.now();
    if (!late.hidden || now - heard < 40000 && !(lost && now - lost > 5000)) return;
    light(false);
    late.querySelector("b").textContent = clock(new Date(heard));
    late.hidden = false;
  }, 1000);
  const last = new Map();
  const connect = () => {
    source = new EventSource("/live?page=" + encodeURIComponent(topic));
    source.onopen = hear;
    source.onerror = () => {
      lost ||= Date.now();
      light(false);
      if (source.readyState === 2) setTimeout(connect, 3000);
    };
    source.addEventListener("beat", hear);
    for (const el of document.querySelectorAll("section[id], footer[id], div#timeline")) {
      source.addEventListener(el.id, (event) => {
        hear();
        if (last.get(el) === event.data) return;
        last.set(el, event.data);
        if (pressing) waiting.set(el, event.data);
        else swap(el, event.data);
      });
    }
  };
  connect();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
