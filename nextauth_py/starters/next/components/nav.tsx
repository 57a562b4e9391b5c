"use client";

import { usePathname } from "next/navigation";
import { useSession } from "next-auth/react";

import { base } from "@/site";

const pages = [
  ["/", "Account"],
  ["/members", "Members"],
  ["/admins", "Admins"],
];

/**
 * React on the same page: it follows what Python does, and Python follows it.
 *
 * The links load whole pages, so that each starts its own Python and none goes on when it is left.
 */
export function Nav() {
  const { data: session } = useSession();
  const here = usePathname();
  return (
    <header>
      <strong>__NAME__</strong>
      <nav aria-label="Pages">
        {pages.map(([path, title]) => (
          <a key={path} href={`${base}${path}`} aria-current={path === here ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <span className="quiet">{session?.user.name ?? "Nobody"}</span>
    </header>
  );
}
