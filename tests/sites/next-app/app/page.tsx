import { Offers } from "./offers";

export default function Home() {
  return (
    <main>
      <h1>Home</h1>
      <Offers />
    </main>
  );
}
