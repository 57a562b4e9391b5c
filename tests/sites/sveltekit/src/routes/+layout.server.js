/** Tells every page who is signed in. */
export async function load({ locals }) {
  return { session: await locals.auth() };
}
