// A page of next-auth's own JavaScript client: what it shows is the user's name, or the status.

import { createRoot } from "react-dom/client";
import * as auth from "next-auth/react";

function Shown() {
  const session = auth.useSession();
  window.peer = { ...auth, update: session.update };
  return <p id="shown">{session.data?.user?.name ?? session.status}</p>;
}

const refetchInterval = Number(new URLSearchParams(location.search).get("interval") ?? 0);
createRoot(document.getElementById("root")).render(
  <auth.SessionProvider refetchInterval={refetchInterval}>
    <Shown />
  </auth.SessionProvider>,
);
