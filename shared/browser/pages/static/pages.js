"use strict";

// Every page works without this file.

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  };
  button.addEventListener("click", () => show(input.type === "password"));
  input.form.addEventListener("submit", () => show(false)); // otherwise the browser stores it as text
  button.hidden = false;
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const code = document.getElementById(button.dataset.copy);
  const label = button.firstElementChild;
  const select = () => getSelection().selectAllChildren(code);
  button.addEventListener("click", async () => {
    select();
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      if (!document.execCommand("copy")) return; // the code is selected, so that the user can copy it
    }
    label.textContent = button.dataset.copied;
  });
  button.hidden = false;
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    if (!("again" in form.dataset)) form.dataset.sent = "yes"; // a download leaves the page where it is
  });
}
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent; // after going back in the history
});

for (const logo of document.querySelectorAll(".tile img")) {
  const replace = () => logo.replaceWith(logo.parentElement.dataset.monogram);
  if (logo.complete && !logo.naturalWidth) replace();
  else logo.addEventListener("error", replace);
}

for (const told of document.querySelectorAll("[data-onward]")) {
  const goOn = () => {
    clearTimeout(limit);
    location.replace(told.dataset.onward);
  };
  const limit = setTimeout(goOn, 5000); // continue if an application hangs
  addEventListener("load", goOn); // includes the frames
}
