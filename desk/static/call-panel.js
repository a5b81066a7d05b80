// Buttons of the call in hand: asks without leaving the page, and says what came of it.

const form = document.getElementById("call-act");
const said = document.getElementById("call-said");
const csrf = document.querySelector("meta[name=csrf]").content;
let asking = false;

function say(text, bad = false) {
  said.textContent = text;
  said.classList.toggle("bad", bad);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (asking || !event.submitter) return;
  asking = true;
  document.body.classList.add("asking");
  say("交換機に頼んでいます。");
  try {
    const answer = await fetch("/desk/call/act", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify({ do: event.submitter.value }),
      signal: AbortSignal.timeout(45000),
    });
    const told = await answer.json();
    if (answer.ok) say(told.text);
    else say(`できませんでした：${told.error.message}。${told.error.cure}`, true);
  } catch {
    say("つながっていません。通話の様子を見てから、もう一度試してください。", true);
  } finally {
    asking = false;
    document.body.classList.remove("asking");
  }
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyT") return;
  event.preventDefault();
  document.querySelector("#r-hand button")?.focus();
});
