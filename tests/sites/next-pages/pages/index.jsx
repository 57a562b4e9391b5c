import Link from "next/link";

export default function Home() {
  return (
    <main>
      <h1>Home</h1>
      <ul>
        {[1, 2, 3, 4].map((number) => (
          <li key={number}>
            <Link href={`/item/${number}`}>Item {number}</Link>
          </li>
        ))}
      </ul>
    </main>
  );
}
