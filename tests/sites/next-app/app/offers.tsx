"use client";

import Link from "next/link";
import { useState } from "react";

const DELAYS = [50, 500, 1000, 1500]; // milliseconds

/** Four more links with each click, whose pages Next.js prefetches, and which are answered late. */
export function Offers() {
  const [shown, setShown] = useState(0);
  return (
    <>
      <button id="offers" type="button" onClick={() => setShown(shown + DELAYS.length)}>
        Offers
      </button>
      <ul>
        {shown > 0 &&
          DELAYS.map((delay, index) => (
            <li key={shown + index}>
              <Link href={`/item/${shown + index}?delay=${delay}`}>Item {shown + index}</Link>
            </li>
          ))}
      </ul>
    </>
  );
}
