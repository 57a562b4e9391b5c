/** The path of the whole site on its server, as "/shop"; "" for none. Everything else takes it from here. */
export const base = "__BASE_PATH__";

/** Where the auth routes are. The pages' Python reads it from <html data-auth>. */
export const authPath = `${base}/api/auth`;
