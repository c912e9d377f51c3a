// search.js: looks through search-index.js, which is fetched at the first key.
// Without JavaScript there is no field, and every page works as it is.
"use strict";
(function () {
  const root = document.documentElement.dataset.root;
  const box = document.getElementById("search");
  const input = document.createElement("input");
  const list = document.createElement("ul");
  let index = null, chosen = -1;

  input.type = "search";
  input.placeholder = "Search  ( / )";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", "search the documents");
  input.setAttribute("aria-controls", "results");
  input.setAttribute("aria-expanded", "false");
  list.id = "results";
  list.setAttribute("role", "listbox");
  list.hidden = true;
  box.append(input, list);

  function load() {
    if (index || document.getElementById("index")) return;
    const script = document.createElement("script");
    script.id = "index";
    script.src = root + "search-index.js";
    document.head.append(script);
  }

  // Called by search-index.js.
  window.quollSearch = function (data) {
    index = data.sections.map(([page, id, title, words]) => ({
      page: data.pages[page][0], url: data.pages[page][1] + "#" + id,
      reference: data.pages[page][1].startsWith("reference/"),
      title, lower: title.toLowerCase(), words: " " + words,
    }));
    show();
  };

  // How well a section answers one word; 0: not at all.
  function score(section, word) {
    const at = section.lower.indexOf(word);
    if (at >= 0) {
      const starts = at === 0 || /[^a-z0-9]/.test(section.lower[at - 1]);
      const next = section.lower[at + word.length];
      const ends = next === undefined || /[^a-z0-9_]/.test(next);
      return 10 + (starts ? 10 : 0) + (starts && ends ? 20 : 0)
        + (starts && section.reference ? 5 : 0);
    }
    const bare = word.replace(/^.*[.:]/, "");
    return bare && section.words.includes(" " + bare) ? 3 : 0;
  }

  function find(query) {
    const words = query.toLowerCase().replace(/[()]/g, "").split(/\s+/)
      .filter(word => word);
    const found = [];
    for (const section of words.length ? index : []) {
      let sum = 0;
      for (const word of words) {
        const one = score(section, word);
        if (!one) { sum = 0; break; }
        sum += one;
      }
      if (sum) found.push([sum - section.title.length / 100, section]);
    }
    return found.sort((a, b) => b[0] - a[0]).slice(0, 12).map(one => one[1]);
  }

  function choose(i) {
    const links = list.querySelectorAll("a");
    if (!links.length) return;
    chosen = (i + links.length) % links.length;
    links.forEach((link, n) =>
      link.setAttribute("aria-selected", n === chosen));
    links[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", links[chosen].id);
  }

  function entry(section, n) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    const page = document.createElement("span");
    link.href = root + section.url;
    link.id = "result" + n;
    link.setAttribute("role", "option");
    link.textContent = section.title;
    page.textContent = section.page;
    link.append(page);
    link.addEventListener("click", hide);
    item.append(link);
    return item;
  }

  function hide() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  }

  function show() {
    if (!index || !input.value.trim()) return hide();
    const found = find(input.value);
    list.replaceChildren(...found.map(entry));
    if (!found.length) {
      const none = document.createElement("li");
      none.className = "none";
      none.textContent = "nothing found";
      list.append(none);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    choose(0);
  }

  input.addEventListener("focus", load);
  input.addEventListener("input", () => { load(); show(); });
  input.addEventListener("keydown", event => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Escape") { input.value = ""; hide(); }
    else if (event.key === "Enter" && !list.hidden) {
      const link = list.querySelectorAll("a")[chosen];
      if (link) link.click();
    } else return;
    event.preventDefault();
  });
  const here = document.querySelector("#menu [aria-current]");
  const menu = document.getElementById("menu");
  if (here) menu.scrollTop = here.offsetTop - menu.clientHeight / 2;

  document.addEventListener("click", event => {
    if (!box.contains(event.target)) hide();
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "/" || event.target.closest("input, textarea")) return;
    event.preventDefault();
    input.focus();
  });
})();
