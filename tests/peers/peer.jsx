// A page of next-auth's own JavaScript client: what it shows is the user's name, or the status. With ?rows=1000
// `peer.mount()` draws so many rows that each show the name.

import { memo, useState } from "react";
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import * as auth from "next-auth/react";

const query = new URLSearchParams(location.search);
const numbers = Array.from({ length: Number(query.get("rows") ?? 0) }, (_, row) => row);

const Row = memo(({ row }) => <li>{`${row}: ${auth.useSession().data?.user?.name}`}</li>);

function Shown() {
  const session = auth.useSession();
  const [drawn, draw] = useState(false);
  const mount = () => flushSync(() => draw(true));
  const unmount = () => flushSync(() => draw(false));
  window.peer = { ...auth, update: session.update, mount, unmount };
  return (
    <>
      <p id="shown">{session.data?.user?.name ?? session.status}</p>
      <ul id="rows">{drawn && numbers.map((row) => <Row key={row} row={row} />)}</ul>
    </>
  );
}

const refetchInterval = Number(query.get("interval") ?? 0);
createRoot(document.getElementById("root")).render(
  <auth.SessionProvider refetchInterval={refetchInterval}>
    <Shown />
  </auth.SessionProvider>,
);
