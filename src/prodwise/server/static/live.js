// Keeps the page's fragments fresh over server-sent events. The page is complete and usable without it.
(() => {
  "use strict";
  const pad = (n) => String(n).padStart(2, "0");
  // Times are rendered in the server's zone; show the reader's own.
  const localise = (root) => {
    for (const el of root.querySelectorAll("time[data-clock], time[data-day]")) {
      const at = new Date(el.dateTime);
      if (isNaN(at)) continue;
      const hm = pad(at.getHours()) + ":" + pad(at.getMinutes());
      if ("day" in el.dataset) {
        el.textContent = at.toLocaleDateString("en-GB", { day: "2-digit", month: "short" }) + ", " + hm;
      } else {
        el.textContent = el.dataset.clock === "s" ? hm + ":" + pad(at.getSeconds()) : hm;
      }
      el.title = at.toLocaleString();
    }
  };
  localise(document);

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copy);
      field.select();
      try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
      button.textContent = "Copied";
    });
  }

  const topic = document.body.dataset.topic;
  if (!topic || !window.EventSource) return;
  const lamp = document.getElementById("live");
  const light = (on) => {
    if (!lamp) return;
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
    const all = [...el.querySelectorAll("a, button, summary")];
    const focus = all.indexOf(document.activeElement);
    const label = focus < 0 ? "" : all[focus].textContent;
    el.innerHTML = html;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    localise(el);
    if (focus >= 0) {
      const again = [...el.querySelectorAll("a, button, summary")].find((c) => c.textContent === label);
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

  const source = new EventSource("/live?page=" + encodeURIComponent(topic));
  addEventListener("pagehide", () => source.close());
  source.onopen = () => light(true);
  source.onerror = () => light(false);
  const last = new Map();
  for (const el of document.querySelectorAll("section[id], footer[id], div#timeline")) {
    source.addEventListener(el.id, (event) => {
      if (last.get(el) === event.data) return;
      last.set(el, event.data);
      if (pressing) waiting.set(el, event.data);
      else swap(el, event.data);
    });
  }
})();
