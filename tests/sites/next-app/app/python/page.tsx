import { Offers } from "../offers";
import { Python } from "../python";

export default function PythonPage() {
  return (
    <main>
      <h1>Python</h1>
      <Python id="account" />
      <Offers />
    </main>
  );
}
