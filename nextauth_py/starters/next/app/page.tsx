import { Card } from "@/components/card";
import { Python } from "@/components/python";

export default function Account() {
  return (
    <Card python="account">
      <Python name="account" />
    </Card>
  );
}
