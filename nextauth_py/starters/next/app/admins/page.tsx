import type { Metadata } from "next";

import { Card } from "@/components/card";
import { Python } from "@/components/python";
import { SignOut } from "@/components/sign-out";

export const metadata: Metadata = { title: "Admins" };

export default function Admins() {
  return (
    <Card python="admins">
      <h1>For admins</h1>
      <Python name="admins" />
      <SignOut />
    </Card>
  );
}
