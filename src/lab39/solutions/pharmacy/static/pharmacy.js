// A photograph of a box is sent as soon as it is taken; the field is then empty again, ready for the next box.
(() => {
  "use strict";
  document.addEventListener("htmx:afterRequest", (event) => {
    const field = document.getElementById("scan");
    if (field && event.target && event.target.id === "treatment") field.value = "";
  });
})();
