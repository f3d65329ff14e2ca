"use strict";

// Passkeys: asks the browser for what a form has in data-options, and sends the result with that form.

const form = document.querySelector("form[data-passkey]");
const options = JSON.parse(form.dataset.options);
const signsIn = form.dataset.passkey === "get";
let asking; // a request that waits in the list of suggestions, which a click replaces

async function ask(mediation) {
  asking?.abort();
  asking = new AbortController();
  const signal = asking.signal;
  const credential = signsIn
    ? await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
        mediation,
        signal,
      })
    : await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
        signal,
      });
  form.elements.passkey.value = JSON.stringify(credential);
  form.submit();
}

if (form.dataset.unknown) {
  const unknown = { rpId: options.rpId, credentialId: form.dataset.unknown };
  window.PublicKeyCredential?.signalUnknownCredential?.(unknown).catch(() => {});
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("optional").catch(() => {}); // the user has cancelled, and may go on without one
  });
  if (document.querySelector("[autocomplete~=webauthn]")) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then(
      (isAvailable) => isAvailable && ask("conditional").catch(() => {}),
    );
  }
} else {
  form.hidden = true;
  for (const hint of document.querySelectorAll(".unscripted")) hint.style.display = "block";
}
