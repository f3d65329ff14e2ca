"use strict";

// Tells the browser which passkeys the account has, and lets it make one after a sign-in with a password.

async function signal({ accepted, details }) {
  await PublicKeyCredential.signalAllAcceptedCredentials?.(accepted);
  await PublicKeyCredential.signalCurrentUserDetails?.(details);
}

async function offer(form) {
  const can = await PublicKeyCredential.getClientCapabilities?.();
  if (!can?.conditionalCreate) return;
  const leaving = new AbortController();
  addEventListener("pagehide", () => leaving.abort());
  const credential = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(form.dataset.offer)),
    mediation: "conditional",
    signal: leaving.signal,
  });
  form.elements.passkey.value = JSON.stringify(credential);
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const isAdded = new URL(answer.url).searchParams.get("done") === "passkey";
  document.getElementById("passkey-made").hidden = !isAdded;
}

async function update() {
  const { signals } = document.querySelector("[data-signals]").dataset;
  await signal(JSON.parse(signals)).catch(() => {}); // before another passkey is made
  const form = document.querySelector("[data-offer]");
  if (form) await offer(form);
}

if (window.PublicKeyCredential) update().catch(() => {}); // the browser declines as it likes
