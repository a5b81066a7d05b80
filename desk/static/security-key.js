// Security keys and passkeys: asks the browser, hands its answer to the server.

const csrf = document.querySelector("meta[name=csrf]").content;

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.error.message}。${told.error.cure}`);
  return told;
}

async function use(button) {
  const problem = document.getElementById("key-problem");
  problem.hidden = true;
  button.disabled = true;
  try {
    const { options } = await send(`${button.dataset.key}/options`, {});
    let credential;
    if ("register" in button.dataset) {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      credential = await navigator.credentials.create({ publicKey });
    } else {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      credential = await navigator.credentials.get({ publicKey });
    }
    const label = document.getElementById("label")?.value ?? "";
    const { to } = await send(button.dataset.key, { answer: credential.toJSON(), label });
    location.assign(to);
  } catch (trouble) {
    const words = trouble instanceof DOMException ? "セキュリティキーが使われませんでした。もう一度試してください。" : trouble.message;
    problem.querySelector("p").textContent = words;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("button[data-key]")) {
  button.addEventListener("click", () => use(button));
}
