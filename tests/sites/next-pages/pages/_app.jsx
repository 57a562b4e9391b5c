import Head from "next/head";
import { SessionProvider } from "next-auth/react";

import { Nav } from "../components/nav";
import { authPath } from "../paths";

export default function App({ Component, pageProps: { session, ...pageProps } }) {
  return (
    <SessionProvider session={session} basePath={authPath}>
      <Head>
        <title>A site in Next.js</title>
        <link rel="icon" href="data:," />
      </Head>
      <Nav />
      <Component {...pageProps} />
    </SessionProvider>
  );
}
