// On every page of an operator whose telephone is a browser: what the telephone's window says, and its buttons.

import { channelOf, listenToKeys, lockOf, possible, showButtons } from "./phone-words.js";

const strip = document.getElementById("strip");
const LOOK_MS = 2000;
const SHUT = { text: "画面の電話は開いていません", more: "電話は鳴りません。", kind: "out" };
const OPEN = { open: true, text: "画面の電話を確かめています", more: "", kind: "out" };

if (strip) {
  const { number } = strip.dataset;
  const now = document.getElementById("strip-now");
  const more = document.getElementById("strip-more");
  const opener = document.getElementById("strip-open");
  const channel = channelOf(number);
  let told = SHUT;
  const seat = document.getElementById("r-state");
  /** As in the telephone's window; beginning to take calls only where the page shows that one does not yet. */
  const can = () => {
    const all = possible(told);
    return { ...all, sign_in: all.sign_in && Boolean(seat?.querySelector(".state.out")) };
  };
  const ask = (what) => channel.postMessage({ do: what });

  const show = () => {
    strip.hidden = false;
    strip.className = `strip ${told.kind}`;
    if (now.textContent !== told.text) now.textContent = told.text;
    if (more.textContent !== told.more) more.textContent = told.more;
    opener.hidden = Boolean(told.open);
    document.body.classList.toggle("softphone", Boolean(told.registered || told.phase));
    showButtons(strip, can());
  };
  const look = async () => {
    const { held } = await navigator.locks.query();
    const open = held.some((lock) => lock.name === lockOf(number));
    if (!open) told = SHUT;
    else if (!told.open) {
      // Opened again by its link it would begin anew, and a call would end.
      told = OPEN;
      channel.postMessage({ hello: true });
    }
    show();
  };

  channel.addEventListener("message", ({ data }) => {
    if (!data.state) return;
    told = data.state;
    show();
  });
  strip.addEventListener("click", (event) => {
    const what = event.target.closest("button[data-do]")?.dataset.do;
    if (what) ask(what);
  });
  opener.addEventListener("click", (event) => {
    // A small window of its own; where windows are not allowed, the link opens it in a tab.
    const opened = window.open(opener.href, opener.target, "popup,width=400,height=640");
    if (opened) event.preventDefault();
  });
  listenToKeys(can, ask);
  if (seat) new MutationObserver(show).observe(seat, { childList: true, subtree: true });
  if (navigator.locks) {
    look();
    setInterval(look, LOOK_MS);
  } else show();
}
