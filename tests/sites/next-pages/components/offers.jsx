import { basePath } from "../paths";

const DELAYS = [50, 500, 1000, 1500]; // milliseconds

/** Asks for four pages with each click, which are answered late. */
export function Offers() {
  const ask = () => DELAYS.map(async (delay) => (await fetch(`${basePath}/item/1?delay=${delay}`)).text());
  return (
    <button id="offers" type="button" onClick={ask}>
      Offers
    </button>
  );
}
