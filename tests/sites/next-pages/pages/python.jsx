import { Offers } from "../components/offers";
import { Python } from "../components/python";

export default function PythonPage() {
  return (
    <main>
      <h1>Python</h1>
      <Python id="account" />
      <Offers />
    </main>
  );
}
