"use client";

import Link from "next/link";
import { useState } from "react";

const DELAYS = [50, 500, 1000, 1500]; // milliseconds

/** Four other links with each click, whose pages Next.js prefetches, and which are answered late. */
export function Offers() {
  const [offers, setOffers] = useState<{ number: number; delay: number }[]>([]);
  const change = () => {
    const next = (offers.at(-1)?.number ?? 0) + 1;
    setOffers(DELAYS.map((delay, index) => ({ number: next + index, delay })));
  };
  return (
    <>
      <button id="offers" type="button" onClick={change}>
        Offers
      </button>
      <ul>
        {offers.map(({ number, delay }) => (
          <li key={number}>
            <Link href={`/item/${number}?delay=${delay}`}>Item {number}</Link>
          </li>
        ))}
      </ul>
    </>
  );
}
