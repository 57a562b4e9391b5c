/** The button on guarded pages. `bind_page()` in the page's Python shows it and has it sign out, by its attributes. */
export function SignOut() {
  return (
    <p data-session-show="authenticated" hidden>
      <button type="button" data-session-action="sign_out">
        Sign out
      </button>
    </p>
  );
}
