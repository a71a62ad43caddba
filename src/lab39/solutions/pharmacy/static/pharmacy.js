// The page works without this; with it a photograph is sent as soon as it is taken, and a download is a download.
(() => {
  "use strict";
  // htmx sends the form: what gives a file is sent by the browser itself, through a form that htmx does not watch.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-download]");
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    const form = document.createElement("form");
    form.method = "post";
    form.action = button.dataset.download;
    for (const [name, value] of new FormData(button.form)) {
      if (typeof value !== "string") continue;
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
    form.remove();
  }, true);
  // The field of the photograph is empty again, ready for the next box.
  document.addEventListener("htmx:afterRequest", () => {
    const field = document.getElementById("scan");
    if (field) field.value = "";
  });
})();
