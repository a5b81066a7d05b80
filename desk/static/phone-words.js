// What the telephone's window and the other pages say to each other, and how both show it.

/** Messages of one operator's telephone between the windows of this browser. */
export const channelOf = (number) => new BroadcastChannel(`phone:${number}`);
/** Held by the window that is the telephone, for as long as it is open. */
export const lockOf = (number) => `phone:${number}`;

const KEYS = { KeyA: ["answer"], KeyH: ["hold", "resume"], KeyM: ["mute", "unmute"], KeyX: ["hang_up"] };

/** What can be asked of the telephone now. */
export function possible({ phase, held, muted, registered }) {
  const talking = phase === "talking";
  return {
    answer: phase === "ringing",
    hold: talking && !held,
    resume: talking && held,
    mute: talking && !held && !muted,
    unmute: talking && !held && muted,
    hang_up: talking || phase === "dialling",
    sign_in: registered && !phase,
  };
}

/** Buttons of what can be done, and no others; the keyboard stays where it was. */
export function showButtons(place, can) {
  const held = place.contains(document.activeElement) ? document.activeElement.dataset.do : null;
  for (const button of place.querySelectorAll("button[data-do]")) button.hidden = !can[button.dataset.do];
  const partner = { hold: "resume", resume: "hold", mute: "unmute", unmute: "mute", answer: "hang_up" }[held];
  if (held && !can[held] && can[partner]) place.querySelector(`[data-do=${partner}]`).focus();
}

/** Alt and a letter, as it stands on the buttons. */
export function listenToKeys(can, act) {
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
    const what = KEYS[event.code]?.find((each) => can()[each]);
    if (!what) return;
    event.preventDefault();
    act(what);
  });
}
