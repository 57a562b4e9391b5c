// Shows the mail that the demo's server has sent, newest first.

const list = document.querySelector("#mails");

async function show() {
  const mails = await (await fetch("/__demo/mails")).json();
  const rows = mails.reverse().map(({ to, link }) => {
    const row = document.createElement("li");
    row.append(`To ${to}: `, Object.assign(document.createElement("a"), { href: link, textContent: "sign in" }));
    return row;
  });
  if (rows.length) list.replaceChildren(...rows);
}

show();
addEventListener("focus", show);
