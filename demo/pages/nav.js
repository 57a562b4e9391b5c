// The head of every page of the demo: runs where it stands, so that nothing moves when it is there.

const pages = {
  "index.html": "Account",
  "guarded.html": "Members",
  "admin.html": "Admins",
  "ways.html": "Three ways",
  "tabs.html": "Tabs",
  "state.html": "Live state",
  "mail.html": "Mail",
};

const here = location.pathname.split("/").pop() || "index.html";
const header = document.createElement("header");
const nav = document.createElement("nav");
nav.ariaLabel = "Pages";
for (const [href, text] of Object.entries(pages)) {
  const link = Object.assign(document.createElement("a"), { href: new URL(href, location.href), text });
  if (href === here || (href === "ways.html" && here.startsWith("way-"))) link.ariaCurrent = "page";
  nav.append(link);
}
header.append(Object.assign(document.createElement("strong"), { textContent: "nextauth_py" }), nav);
document.currentScript.replaceWith(header);
