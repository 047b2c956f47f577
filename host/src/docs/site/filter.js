"use strict";
(() => {
  const search = document.getElementById("filter");
  const field = document.getElementById("words");
  const count = document.getElementById("count");
  const sections = [...document.querySelectorAll("section.provider")].map((section) => {
    const provider = section.querySelector("h2").textContent;
    const items = [...section.querySelectorAll("ul.functions > li")];
    const rows = items.map((item) => ({ item, words: (provider + " " + item.textContent).toLowerCase() }));
    return { section, rows };
  });

  const filter = () => {
    const wanted = field.value.toLowerCase().split(/[\s._]+/).filter(Boolean);
    let found = 0;
    for (const { section, rows } of sections) {
      let shown = 0;
      for (const { item, words } of rows) {
        item.hidden = !wanted.every((word) => words.includes(word));
        shown += item.hidden ? 0 : 1;
      }
      section.hidden = shown === 0 && wanted.length > 0;
      found += shown;
    }
    count.textContent = wanted.length === 0 ? "" : found === 1 ? "1 function" : found + " functions";
  };

  // A search can be sent to others: index.html#q=send+sms
  field.value = new URLSearchParams(location.hash.slice(1)).get("q") ?? "";
  field.addEventListener("input", () => {
    history.replaceState(null, "", field.value ? "#" + new URLSearchParams({ q: field.value }) : location.pathname);
    filter();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    }
  });
  search.hidden = false;
  filter();
})();
