import type { Metadata } from "next";

import { Card } from "@/components/card";
import { Python } from "@/components/python";
import { SignOut } from "@/components/sign-out";

export const metadata: Metadata = { title: "Members" };

export default function Members() {
  return (
    <Card python="members">
      <h1>For members</h1>
      <Python name="members" />
      <SignOut />
    </Card>
  );
}
