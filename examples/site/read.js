"use strict";

/* GitHub's way: what links within the documents expect. */
function slug(text) {
  return text.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
}

function contents(page) {
  const list = document.querySelector(".contents ul");
  const seen = {};
  for (const heading of page.querySelectorAll("h1, h2, h3")) {
    const id = slug(heading.textContent);
    heading.id = id in seen ? `${id}-${++seen[id]}` : (seen[id] = 0, id);
    if (heading.tagName === "H2") {
      const link = document.createElement("a");
      link.href = `#${heading.id}`;
      link.textContent = heading.textContent;
      const li = document.createElement("li");
      li.append(link);
      list.append(li);
    }
  }
}

async function read() {
  const page = document.querySelector(".page");
  const answer = await fetch(location.pathname, { headers: { Accept: "text/markdown" } });
  const text = await answer.text();
  if (answer.ok && window.marked) {
    page.innerHTML = marked.parse(text, { mangle: false, headerIds: false });
    contents(page);
  } else { /* without libjs-marked: as it is */
    const pre = document.createElement("pre");
    pre.textContent = text;
    page.append(pre);
  }
  document.title = `${page.querySelector("h1")?.textContent ?? location.pathname} · quoll`;
  document.querySelector(".contents").open = matchMedia("(min-width: 60rem)").matches;
  page.removeAttribute("aria-busy");
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

read();
