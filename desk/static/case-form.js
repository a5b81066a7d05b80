// The case form: every keystroke is kept, on the server or, while it cannot be reached, in this browser.

const csrf = document.querySelector("meta[name=csrf]").content;
const user = document.querySelector("script[data-user]").dataset.user;
const place = document.getElementById("case");
const PREFIX = `draft:${user}:`;
const WAIT_MS = 400;

let timer = null;
let unsent = false; // something is typed that the server does not have
let sending = null;
let following = false;

const form = () => place.querySelector("form[data-case]");
const keyOf = (call) => PREFIX + call;

const TEXTS = ["category", "question", "answer", "status", "department"];
const MARKS = ["complaint", "mistaken_guidance"];

function fieldsOf(element) {
  const texts = TEXTS.map((name) => [name, element.elements[name].value]);
  const marks = MARKS.map((name) => [name, element.elements[name].checked]);
  return Object.fromEntries([...texts, ...marks]);
}

function draftOf(element, final = false) {
  const revision = Math.max(Date.now(), Number(element.dataset.revision) + 1);
  return { fields: fieldsOf(element), base: Number(element.dataset.base), revision, final };
}

function say(text) {
  const saved = form()?.querySelector("[data-saved]");
  if (saved && saved.textContent !== text) saved.textContent = text;
}

function complain(text) {
  const problem = form()?.querySelector("[data-problem]");
  if (!problem) return;
  problem.hidden = !text;
  problem.querySelector("p").textContent = text;
}

function keepHere(call, draft) {
  try {
    localStorage.setItem(keyOf(call), JSON.stringify(draft));
  } catch {
    say("保存できていません。画面を閉じないでください。");
  }
}

async function put(call, draft) {
  const answer = await fetch(`/desk/calls/${encodeURIComponent(call)}/draft`, {
    method: "PUT",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(draft),
    signal: AbortSignal.timeout(8000),
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.error.message), { told: told.error, status: answer.status });
  return told;
}

/** Hand over what is kept for a call; keeps it here until the server has it. */
async function send(call, draft) {
  keepHere(call, draft);
  const told = await put(call, draft);
  const kept = JSON.parse(localStorage.getItem(keyOf(call)) ?? "null");
  if (kept && kept.revision <= draft.revision) localStorage.removeItem(keyOf(call));
  return told;
}

async function save(final = false) {
  const element = form();
  if (!element) return;
  clearTimeout(timer);
  while (sending) await sending.catch(() => {});
  const call = element.dataset.case;
  const draft = draftOf(element, final);
  unsent = false;
  sending = send(call, draft);
  try {
    const told = await sending;
    element.dataset.revision = Math.max(draft.revision, told.revision);
    if (final) complain("");
    if (!told.stored) say("ほかの画面で、もっと新しいものが書かれています。開きなおしてください。");
    else if (told.written) say("応対履歴に記録しました");
    else if (final) say("通話が終わりしだい、応対履歴に記録します");
    else say("下書きを保存しました");
    if (final) element.dataset.written = "yes";
    element.dataset.waits = final && told.stored && !told.written ? "yes" : "no";
    if (told.written) reload(call);
    else settle(); // the call may have ended meanwhile
  } catch (trouble) {
    if (trouble.told && final) {
      // The server has heard and refuses: what is missing must be written first.
      localStorage.removeItem(keyOf(call));
      const where = trouble.told.where ? `${trouble.told.where}：` : "";
      complain(`${where}${trouble.told.message}。${trouble.told.cure}`);
      say("");
      save(false);
    } else if (trouble.status === 401) {
      say("サインインが終わりました。書いたものはこの端末にあります。サインインしなおすと続けられます。");
    } else {
      unsent = true;
      say("つながっていません。書いたものはこの端末にあり、つながりしだい保存します。");
    }
  } finally {
    sending = null;
  }
}

/** The case has a new version now: the form goes on from there, unless somebody types already. */
async function reload(call) {
  const answer = await fetch(`/desk/calls/${encodeURIComponent(call)}/form`, { signal: AbortSignal.timeout(8000) });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form[data-case]");
  const element = form();
  if (!answer.ok || !fresh || element?.dataset.case !== call) return null;
  element.dataset.base = fresh.dataset.base;
  element.elements.base.value = fresh.dataset.base;
  return fresh.dataset;
}

/** A record that waits for the end of its call: whether the case has it by now. */
async function settle() {
  const element = form();
  if (element?.dataset.waits !== "yes") return;
  const fresh = await reload(element.dataset.case).catch(() => null);
  if (!fresh || fresh.waits === "yes" || element.dataset.waits !== "yes" || form() !== element) return;
  element.dataset.waits = "no";
  if (unsent) return; // what is typed since then is not recorded
  if (fresh.written === "yes") say("応対履歴に記録しました");
  else {
    element.dataset.written = "no";
    say("下書きを保存しました");
    complain("記録できませんでした。書いたものは下書きにあります。「記録する」を押すと、わけが出ます。");
  }
}

function typed() {
  const element = form();
  element.dataset.written = "no";
  say("");
  complain("");
  unsent = true;
  // At once here: a crash or a closed window in the next moments must lose nothing.
  keepHere(element.dataset.case, draftOf(element));
  clearTimeout(timer);
  timer = setTimeout(() => save(), WAIT_MS);
}

function fill(element, fields) {
  for (const [name, value] of Object.entries(fields)) {
    const control = element.elements[name];
    if (control?.type === "checkbox") control.checked = value === true;
    else if (control) control.value = value;
  }
}

/** After a reload or a crash: what this browser has and the server does not. */
async function recover() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const call = key.slice(PREFIX.length);
    let draft;
    try {
      draft = JSON.parse(localStorage.getItem(key));
    } catch {
      localStorage.removeItem(key);
      continue;
    }
    const element = form();
    if (element?.dataset.case === call && draft.revision > Number(element.dataset.revision)) {
      fill(element, draft.fields);
      element.dataset.written = "no";
      say("この端末に残っていた下書きを戻しました");
    }
    try {
      const told = await send(call, draft);
      if (element?.dataset.case === call) element.dataset.revision = Math.max(draft.revision, told.revision);
    } catch (trouble) {
      if (trouble.status === 404) localStorage.removeItem(key); // no call of theirs
      else if (trouble.status === undefined) unsent = true;
    }
  }
}

function tie() {
  const element = form();
  if (!element) return;
  element.addEventListener("input", typed);
  element.addEventListener("change", typed);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    save(true);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save(true);
    }
  });
}

/** A new talk brings its own form; what was typed for the one before is kept and stands in the list. */
async function follow() {
  const call = document.querySelector("#r-call [data-call]")?.dataset.call;
  if (!call || form()?.dataset.case === call || place.dataset.fixed === "yes" || following) return;
  following = true;
  try {
    if (unsent) await save();
    const answer = await fetch(`/desk/calls/${encodeURIComponent(call)}/form`, { signal: AbortSignal.timeout(8000) });
    if (!answer.ok) return;
    place.innerHTML = await answer.text();
  } catch {
    return; // tried again in a moment
  } finally {
    following = false;
  }
  tie();
  await recover();
  document.getElementById("question")?.focus({ preventScroll: true });
}

document.addEventListener("drawn", ({ detail }) => {
  if (detail.includes("call")) follow();
  if (detail.includes("drafts")) settle();
});
window.addEventListener("online", () => unsent && save());
setInterval(() => {
  if (unsent && !sending) save();
  follow();
}, 3000);
window.addEventListener("pagehide", () => {
  const element = form();
  if (element && unsent) keepHere(element.dataset.case, draftOf(element));
});
tie();
recover();
